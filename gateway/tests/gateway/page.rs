use crate::helpers::*;
use std::collections::{BTreeMap, BTreeSet};

#[actix_web::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let gateway = TestGateway::start(&[]).await;
    let mut page = String::new();
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/assets/app.css", "text/css; charset=utf-8"),
        ("/assets/app.js", "text/javascript; charset=utf-8"),
        ("/assets/dom.js", "text/javascript; charset=utf-8"),
        ("/assets/language.js", "text/javascript; charset=utf-8"),
        ("/assets/order.js", "text/javascript; charset=utf-8"),
        ("/assets/texts.js", "text/javascript; charset=utf-8"),
        ("/assets/icon.svg", "image/svg+xml"),
    ] {
        let answer = gateway.get(path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], content_type);
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        page.push_str(&answer.text().await.unwrap());
    }
    let without_namespace = page.replace("http://www.w3.org/2000/svg", "");
    for outside in ["https://", "src=\"http", "href=\"http", "url(http", "@import", "innerHTML", "eval("] {
        assert!(!without_namespace.contains(outside), "{outside}");
    }
    for inline in ["<style", " style=", " onclick=", "<script>"] {
        assert!(!page.contains(inline), "{inline} would be refused by the policy");
    }
}

const TEXTS: &str = include_str!("../../src/page/texts.js");

/// The texts of one language: key and the rest of its line.
fn texts(language: &str) -> BTreeMap<&'static str, &'static str> {
    let (_, table) = TEXTS.split_once(&format!("\n  {language}: {{\n")).unwrap();
    let (table, _) = table.split_once("\n  },\n").unwrap();
    table.lines().map(|line| line.trim().strip_prefix('"').unwrap().split_once("\": ").unwrap()).collect()
}

/// Each text that the markup or a script names is in the table of texts.
#[test]
fn no_text_is_missing() {
    let html = include_str!("../../src/page/index.html");
    let scripts = [
        include_str!("../../src/page/app.js"),
        include_str!("../../src/page/dom.js"),
        include_str!("../../src/page/language.js"),
        include_str!("../../src/page/order.js"),
    ]
    .concat();
    let quoted_after = |text: &str, mark: &str| -> Vec<String> {
        text.split(mark).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let mut used = quoted_after(html, "data-t=\"");
    used.extend(quoted_after(html, "data-t-label=\""));
    for before in [" t(\"", "(t(\"", "[t(\"", "around(\"", "[\"col.", "rule: \"rule."] {
        let prefix = before.split_once('"').map_or("", |(_, prefix)| prefix);
        used.extend(quoted_after(&scripts, before).into_iter().map(|key| format!("{prefix}{key}")));
    }
    assert!(used.len() > 60, "{}", used.len());
    let known = texts("en");
    for key in used {
        // Some keys are put together: "live." + state.
        let found = if key.ends_with('.') {
            known.keys().any(|known| known.starts_with(&key))
        } else {
            known.contains_key(key.as_str())
        };
        assert!(found, "{key}");
    }
}

#[test]
fn both_languages_say_the_same_things() {
    let (english, korean) = (texts("en"), texts("ko"));
    assert!(english.keys().eq(korean.keys()), "the tables differ in their keys");
    let placeholders = |text: &str| -> BTreeSet<String> {
        let names = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase());
        names.filter(|(name, _)| plain(name)).map(|(name, _)| name.to_owned()).collect()
    };
    for (key, text) in english {
        assert_eq!(placeholders(text), placeholders(korean[key]), "{key}");
    }
}

/// WCAG 2.2: 4.5:1 for text, on every ground that it stands on, in both colour schemes.
#[test]
fn texts_stand_out_from_their_ground() {
    let css = include_str!("../../src/page/app.css");
    let (light, dark) = css.split_once("prefers-color-scheme: dark").unwrap();
    for scheme in [light, dark] {
        let colour = |name: &str| -> [f64; 3] {
            let (_, value) = scheme.split_once(&format!("--{name}: #")).unwrap();
            [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&value[at..at + 2], 16).unwrap()) / 255.0)
        };
        let luminance = |name: &str| -> f64 {
            let linear =
                colour(name).map(|c| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
            0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        };
        for (text, grounds) in [
            ("text", &["bg", "card", "wash"][..]),
            ("soft", &["bg", "card", "wash"]),
            ("accent", &["bg", "card", "wash"]),
            ("accent-text", &["accent"]),
            ("ok", &["card", "wash", "ok-wash"]),
            ("warn", &["card", "wash", "warn-wash"]),
            ("bad", &["card", "wash", "bad-wash"]),
        ] {
            for ground in grounds {
                let (a, b) = (luminance(text), luminance(ground));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
            }
        }
    }
}

#[actix_web::test]
async fn only_get_and_head() {
    let gateway = TestGateway::start(&[]).await;
    for path in ["/", "/status.json", "/assets/app.js"] {
        let url = format!("{}{path}", gateway.url);
        assert_eq!(gateway.client.head(&url).send().await.unwrap().status(), 200, "{path}");
        let answer = gateway.client.post(&url).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["allow"]),
            (405, &"GET, HEAD".parse().unwrap())
        );
        problem(answer).await;
    }
    assert_eq!(gateway.get("/health/live").send().await.unwrap().status(), 200);
}
