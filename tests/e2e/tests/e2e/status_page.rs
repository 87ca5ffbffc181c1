//! The status page as people use it: a browser, a keyboard, two languages. The demo behind it is a whole platform on the
//! embedded engines.

use crate::support::PATIENCE;
use serde_json::Value;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::time::Duration;
use testkit::browser::{Browser, CONTROL, ENTER, TAB};
use testkit::{Process, eventually};

/// Every port of a demo is one of these, moved.
const PORTS: [u16; 6] = [8000, 8001, 8002, 8003, 8083, 9092];

struct Demo {
    process: Process,
    page: String,
}

impl Demo {
    async fn start() -> Demo {
        let free = |offset: u16| {
            PORTS.iter().all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port + offset)).is_ok())
        };
        // Below the ports of outgoing connections, as testkit's own; never the last digits that the demos of the lessons
        // get, since two demos that start at the same moment would both find a port free.
        let base = (testkit::free_port() - 8000) / 10 * 10 + 5;
        let mut offsets = (base..22_000).step_by(10).chain((12_005..base).step_by(10));
        let offset = offsets.find(|offset| free(*offset)).expect("no free ports");
        let mut command = Command::new(testkit::bin("demo"));
        let process = Process::spawn("demo", command.args(["--port-offset", &offset.to_string()]));
        let demo = Demo { process, page: format!("http://127.0.0.1:{}", 8000 + offset) };
        eventually("the demo to be up", PATIENCE, async || {
            Ok(demo.process.log().contains("Everything is up.").then_some(()))
        })
        .await;
        demo
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // SIGTERM lets the demo remove its files; a SIGKILL follows when it does not end.
        self.process.terminate();
        let deadline = std::time::Instant::now() + Duration::from_secs(15);
        while self.process.is_running() && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// What one language says, word for word.
struct Words {
    code: &'static str,
    title: &'static str,
    heading: &'static str,
    live: &'static str,
    submit: &'static str,
    qty_error: &'static str,
    user_error: &'static str,
    accepted: &'static str,
    confirmed: &'static str,
    rejected: &'static str,
    other: &'static str,
    other_title: &'static str,
    other_confirmed: &'static str,
}

const ENGLISH: Words = Words {
    code: "en",
    title: "Order platform",
    heading: "Last orders",
    live: "Live",
    submit: "Place order",
    qty_error: "Quantity: please enter a whole number from 1 to 10,000.",
    user_error: "User: please enter a value.",
    accepted: "Accepted: Kafka has the order.",
    confirmed: "Decided: confirmed, the stock went down.",
    rejected: "Decided: rejected, not enough stock.",
    other: "ko",
    other_title: "주문 플랫폼",
    other_confirmed: "결정: 확정되었고 재고가 차감되었습니다.",
};

const KOREAN: Words = Words {
    code: "ko",
    title: "주문 플랫폼",
    heading: "최근 주문",
    live: "실시간",
    submit: "주문하기",
    qty_error: "수량: 1 이상 10,000 이하의 정수를 입력해 주세요.",
    user_error: "사용자: 값을 입력해 주세요.",
    accepted: "접수: 주문이 Kafka에 기록되었습니다.",
    confirmed: "결정: 확정되었고 재고가 차감되었습니다.",
    rejected: "결정: 거절되었습니다(재고 부족).",
    other: "en",
    other_title: "Order platform",
    other_confirmed: "Decided: confirmed, the stock went down.",
};

/// A page in a browser, with the questions this test has.
struct Page<'a> {
    browser: &'a Browser,
    address: &'a str,
}

impl Page<'_> {
    async fn shows(&self, selector: &str, text: &str) {
        eventually(format!("{selector} to show {text:?}"), PATIENCE, async || {
            let shown = self.browser.text(selector).await?;
            anyhow::ensure!(shown.contains(text), "it shows {shown:?}");
            Ok(Some(()))
        })
        .await;
    }

    async fn language_is(&self, language: &str, title: &str) -> anyhow::Result<()> {
        let seen = self.browser.script("return [document.documentElement.lang, document.title]").await?;
        assert_eq!(seen, serde_json::json!([language, title]));
        Ok(())
    }

    /// Walks with the Tab key, as somebody without a mouse, to the element that `selector` finds.
    async fn tab_to(&self, selector: &str) -> anyhow::Result<()> {
        let there = format!("return document.activeElement.matches({})", Value::from(selector));
        for _ in 0..40 {
            self.browser.press(TAB).await?;
            if self.browser.script(&there).await? == true {
                return Ok(());
            }
        }
        anyhow::bail!("{selector} cannot be reached with the Tab key")
    }

    /// Replaces what stands in a field of the form, with the keyboard alone.
    async fn fill(&self, field: &str, text: &str) -> anyhow::Result<()> {
        self.tab_to(&format!("input[name={field}]")).await?;
        self.browser.press(&format!("{CONTROL}a")).await?;
        self.browser.press(text).await
    }

    /// Back to the top of the page, so that Tab begins at its first element.
    async fn unfocus(&self) -> anyhow::Result<()> {
        // A text node's selection is where the next Tab starts from.
        let body = "document.activeElement.blur(); getSelection().collapse(document.body, 0)";
        self.browser.script(body).await.map(drop)
    }

    async fn stock(&self, product: &str) -> anyhow::Result<i64> {
        let body = format!(
            "const row = [...document.querySelectorAll('#products tbody tr')].find((row) => row.textContent.includes('{product}'));
             return Number(row.lastElementChild.textContent.replaceAll(',', ''))"
        );
        self.browser.script(&body).await?.as_i64().ok_or_else(|| anyhow::anyhow!("no stock of {product}"))
    }

    async fn does_not_scroll_sideways(&self) -> anyhow::Result<()> {
        let widths = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]";
        let widths = self.browser.script(widths).await?;
        assert!(widths[0].as_i64() <= widths[1].as_i64(), "content and window are {widths} wide");
        Ok(())
    }

    /// No error, no refusal by the policy, nothing asked of anybody else.
    async fn was_quiet(&self) -> anyhow::Result<()> {
        let console = self.browser.console().await?;
        assert!(console.is_empty(), "the console says {console:?}");
        let requests = self.browser.requests().await?;
        assert!(requests.iter().any(|url| url.ends_with("/status.json")), "requests are seen: {requests:?}");
        let own = format!("{}/", self.address);
        let strange: Vec<_> = requests.iter().filter(|url| !url.starts_with(&own)).collect();
        assert!(strange.is_empty(), "requests to others: {strange:?}");
        Ok(())
    }
}

/// The whole visit of somebody whose browser is set to the language of `words`.
async fn visit(demo: &Demo, words: &Words, user: &str) -> anyhow::Result<()> {
    let browser = Browser::start(words.code, 1280, 900).await?;
    let page = Page { browser: &browser, address: &demo.page };
    browser.open(&demo.page).await?;
    page.shows("#live-text", words.live).await;
    page.language_is(words.code, words.title).await?;
    assert_eq!(browser.text("#orders-title").await?, words.heading);
    page.shows("#products", "Desk lamp").await;
    page.shows("#topics", "connect-orders-sink.dlq").await;
    page.shows("#connect", "RUNNING").await;

    // A form that is filled in wrongly says so in words, and puts the cursor there.
    page.fill("userId", " ").await?;
    browser.press(ENTER).await?;
    page.shows("#result", words.user_error).await;
    page.unfocus().await?;
    page.fill("userId", user).await?;
    page.fill("productId", "3").await?;
    page.fill("qty", "0").await?;
    browser.press(ENTER).await?;
    page.shows("#result", words.qty_error).await;
    let marked = "return [document.activeElement.name, document.activeElement.getAttribute('aria-invalid')]";
    assert_eq!(browser.script(marked).await?, serde_json::json!(["qty", "true"]));

    // Put right, the order goes its way, and everything on the page follows.
    let before = page.stock("Desk lamp").await?;
    browser.press(&format!("{CONTROL}a")).await?;
    browser.press("7").await?;
    page.tab_to("form button").await?;
    assert_eq!(browser.text("form button").await?, words.submit);
    browser.press(ENTER).await?;
    page.shows("#result", words.accepted).await;
    page.shows("#result", words.confirmed).await;
    let row = format!(
        "return [...document.querySelectorAll('#orders tbody tr')].some((row) =>
           row.textContent.includes('{user}') && row.textContent.includes('CONFIRMED'))"
    );
    eventually("the order among the last ones, confirmed", PATIENCE, async || {
        Ok((browser.script(&row).await? == true).then_some(()))
    })
    .await;
    eventually("the stock to go down by 7", PATIENCE, async || {
        let now = page.stock("Desk lamp").await?;
        anyhow::ensure!(now == before - 7, "{before} were there, {now} are");
        Ok(Some(()))
    })
    .await;

    switch(&page, words, user).await?;
    refusal(&page, words).await?;

    for (width, height) in [(390, 844), (1280, 900), (1920, 1080)] {
        browser.resize(width, height).await?;
        page.does_not_scroll_sideways().await?;
        for scheme in ["dark", "light"] {
            browser.prefer(scheme).await?;
            // the layout of the new width is drawn with the next frame
            let frames =
                "return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))";
            browser.script(frames).await?;
            browser.screenshot(&format!("status-page-{}-{width}-{scheme}", words.code)).await?;
        }
    }
    page.was_quiet().await
}

/// The other language, chosen with the keyboard: what was typed and what is shown stays, and the choice is remembered.
async fn switch(page: &Page<'_>, words: &Words, user: &str) -> anyhow::Result<()> {
    let browser = page.browser;
    page.unfocus().await?;
    page.tab_to(&format!("[data-language={}]", words.other)).await?;
    browser.press(ENTER).await?;
    page.language_is(words.other, words.other_title).await?;
    page.shows("#result", words.other_confirmed).await;
    let typed =
        "return [document.querySelector('[name=userId]').value, document.querySelector('[name=qty]').value]";
    assert_eq!(browser.script(typed).await?, serde_json::json!([user, "7"]));
    let pressed = "return document.activeElement.getAttribute('aria-pressed')";
    assert_eq!(browser.script(pressed).await?, "true", "the focus stays on the switch");
    browser.open(page.address).await?;
    page.language_is(words.other, words.other_title).await?;
    // The address has the last word.
    browser.open(&format!("{}/?lang={}", page.address, words.code)).await?;
    page.language_is(words.code, words.title).await?;
    page.shows("#live-text", words.live).await;
    Ok(())
}

/// More than there is: the order is accepted, then rejected with its reason. Its user and its price are as long as they
/// can be, which has to fit a phone.
async fn refusal(page: &Page<'_>, words: &Words) -> anyhow::Result<()> {
    page.shows("#products", "Signed first edition").await;
    page.fill("userId", &"w".repeat(64)).await?;
    page.fill("productId", "6").await?;
    page.fill("qty", "99").await?;
    page.fill("unitPrice", "9007199254740991").await?;
    page.browser.press(ENTER).await?;
    page.shows("#result", words.rejected).await;
    page.shows("#orders tbody tr", "REJECTED").await;
    Ok(())
}

#[tokio::test]
async fn a_browser_places_orders_in_english_and_in_korean() -> anyhow::Result<()> {
    let demo = Demo::start().await;
    visit(&demo, &ENGLISH, "erin").await?;
    visit(&demo, &KOREAN, "minsu").await
}
