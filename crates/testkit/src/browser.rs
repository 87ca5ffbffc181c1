//! A headless Chromium, driven over the WebDriver protocol: as little of it as our tests use, on the HTTP client that is
//! there anyway. A WebDriver crate would bring some thirty others.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::names::{free_port, log_dir, unique};
use crate::{Process, eventually};

/// The member that the protocol wraps the id of an element in.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The Tab key, as WebDriver writes keys without a letter.
pub const TAB: &str = "\u{e004}";
/// The Enter key.
pub const ENTER: &str = "\u{e007}";
/// Control, held until the end of the text it is typed in.
pub const CONTROL: &str = "\u{e009}";

/// One browser with one page and a profile of its own; it ends with the value.
#[derive(Debug)]
pub struct Browser {
    http: reqwest::Client,
    session: String,
    profile: PathBuf,
    /// Outlives the session, which is ended through it.
    _driver: Process,
}

impl Browser {
    /// Starts a browser whose first language is `language`, with a page of `width` by `height` CSS pixels.
    pub async fn start(language: &str, width: u32, height: u32) -> anyhow::Result<Browser> {
        let (chromedriver, chromium) = (program("chromedriver")?, program("chromium")?);
        let port = free_port();
        let driver = Process::spawn("chromedriver", Command::new(chromedriver).arg(format!("--port={port}")));
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build()?;
        let root = format!("http://127.0.0.1:{port}");
        eventually("chromedriver to be ready", Duration::from_secs(30), async || {
            let status: Value = http.get(format!("{root}/status")).send().await?.json().await?;
            Ok((status["value"]["ready"] == true).then_some(()))
        })
        .await;

        let profile = std::env::temp_dir().join(unique("browser"));
        let mut flags: Vec<String> = [
            "--headless=new",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
        ]
        .map(str::to_owned)
        .to_vec();
        flags.push(format!("--user-data-dir={}", profile.display()));
        flags.push(format!("--accept-lang={language}"));
        if is_root() {
            // Chromium's sandbox refuses to run as root.
            flags.push("--no-sandbox".to_owned());
        }
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": chromium, "args": flags},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let answer = value(http.post(format!("{root}/session")).json(&wanted)).await;
        let answer = answer.context("chromedriver cannot start chromium")?;
        let id = answer["sessionId"].as_str().context("chromedriver names no session")?;
        let browser = Browser { session: format!("{root}/session/{id}"), http, profile, _driver: driver };
        browser.resize(width, height).await?;
        // The browser's own first page made requests, too; they are no business of a test.
        browser.open("about:blank").await?;
        browser.requests().await?;
        Ok(browser)
    }

    /// The page's width and height in CSS pixels: smaller ones than a window can have, too.
    pub async fn resize(&self, width: u32, height: u32) -> anyhow::Result<()> {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await
    }

    /// `light` or `dark`, as if the system had it set.
    pub async fn prefer(&self, scheme: &str) -> anyhow::Result<()> {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", features).await
    }

    async fn devtools(&self, command: &str, params: Value) -> anyhow::Result<()> {
        self.post("goog/cdp/execute", json!({"cmd": command, "params": params})).await.map(drop)
    }

    pub async fn open(&self, url: &str) -> anyhow::Result<()> {
        self.post("url", json!({"url": url})).await.map(drop)
    }

    /// Types into whatever has the focus, as a keyboard does.
    pub async fn press(&self, keys: &str) -> anyhow::Result<()> {
        let active = self.get("element/active").await?;
        let id = active[ELEMENT].as_str().context("nothing has the focus")?;
        self.post(&format!("element/{id}/value"), json!({"text": keys})).await.map(drop)
    }

    /// Runs the body of a function in the page; what it returns.
    pub async fn script(&self, body: &str) -> anyhow::Result<Value> {
        self.post("execute/sync", json!({"script": body, "args": []})).await
    }

    /// The visible text of the first element that a CSS selector finds.
    pub async fn text(&self, selector: &str) -> anyhow::Result<String> {
        let found = self.post("element", json!({"using": "css selector", "value": selector})).await?;
        let id = found[ELEMENT].as_str().with_context(|| format!("no {selector}"))?;
        let text = self.get(&format!("element/{id}/text")).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// What the page wrote to the console since the last call, errors of the browser (a policy's refusal, a failed
    /// request) among it.
    pub async fn console(&self) -> anyhow::Result<Vec<String>> {
        let entries = self.post("se/log", json!({"type": "browser"})).await?;
        let entries = entries.as_array().context("no list of console entries")?;
        Ok(entries.iter().map(|entry| format!("{}: {}", entry["level"], entry["message"])).collect())
    }

    /// The addresses of all requests since the last call, of the page's and of the browser's own for it.
    pub async fn requests(&self) -> anyhow::Result<Vec<String>> {
        let entries = self.post("se/log", json!({"type": "performance"})).await?;
        let events = entries.as_array().context("no list of events")?.iter();
        let messages =
            events.filter_map(|event| serde_json::from_str::<Value>(event["message"].as_str()?).ok());
        let sent = messages.filter(|event| event["message"]["method"] == "Network.requestWillBeSent");
        Ok(sent
            .filter_map(|event| event["message"]["params"]["request"]["url"].as_str().map(str::to_owned))
            .collect())
    }

    /// Saves the whole page, however long, as `target/testkit/NAME.png`.
    pub async fn screenshot(&self, name: &str) -> anyhow::Result<PathBuf> {
        let params = json!({"format": "png", "captureBeyondViewport": true});
        let shot =
            self.post("goog/cdp/execute", json!({"cmd": "Page.captureScreenshot", "params": params})).await?;
        let bytes =
            base64(shot["data"].as_str().context("no picture")?).context("the picture is no base64")?;
        let path = log_dir().join(format!("{name}.png"));
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    async fn get(&self, command: &str) -> anyhow::Result<Value> {
        value(self.http.get(format!("{}/{command}", self.session))).await
    }

    async fn post(&self, command: &str, body: Value) -> anyhow::Result<Value> {
        let answer = value(self.http.post(format!("{}/{command}", self.session)).json(&body)).await;
        answer.with_context(|| format!("the browser refuses {command} with {body}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with its session, not with chromedriver.
        if let Err(error) = end(&self.session) {
            eprintln!("chromium may be left behind: {error}");
        }
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// `DELETE` of a session, without a runtime to await it in.
fn end(session: &str) -> std::io::Result<()> {
    let address = session.trim_start_matches("http://");
    let (host, path) = address.split_at(address.find('/').unwrap_or(address.len()));
    let mut socket = TcpStream::connect(host)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(socket, "DELETE {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    // The answer comes when the browser has gone.
    socket.read(&mut [0; 64]).map(drop)
}

/// The `value` of the answer; an error of the protocol as an error.
async fn value(request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
    let mut answer: Value = request.send().await?.json().await?;
    let value = answer["value"].take();
    if let Some(error) = value["error"].as_str() {
        bail!("{error}: {}", value["message"].as_str().unwrap_or_default());
    }
    Ok(value)
}

fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file()).with_context(|| {
        format!("{name} is not on PATH: run `cargo xtask provision`, or install Debian's chromium and chromium-driver")
    })
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|own| own.uid() == 0)
}

/// Standard base64 with its padding; not worth a dependency.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| -> Option<u32> {
        Some(u32::from(match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        }))
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in text.trim_end_matches('=').as_bytes().chunks(4) {
        let mut bits = 0;
        for byte in chunk {
            bits = bits << 6 | digit(*byte)?;
        }
        bits <<= 6 * (4 - chunk.len());
        bytes.extend(bits.to_be_bytes()[1..chunk.len()].iter());
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_read() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob")]
        {
            assert_eq!(base64(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(base64("Zm9!"), None);
    }
}
