use crate::helpers::*;

#[actix_web::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let gateway = TestGateway::start(&[]).await;
    let mut page = String::new();
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/assets/app.css", "text/css; charset=utf-8"),
        ("/assets/app.js", "text/javascript; charset=utf-8"),
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

/// Each text that the markup or the script names is in the table of texts, and each text there is used.
#[test]
fn no_text_is_missing() {
    let (html, js) = (include_str!("../../src/page/index.html"), include_str!("../../src/page/app.js"));
    let table = &js[..js.find("const LANGUAGE").unwrap()];
    let quoted_after = |text: &str, mark: &str| -> Vec<String> {
        text.split(mark).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let mut used = quoted_after(html, "data-t=\"");
    let script = &js[table.len()..];
    for before in [" ", "(", "["] {
        used.extend(quoted_after(script, &format!("{before}t(\"")));
    }
    assert!(used.len() > 40);
    for key in used {
        // Some keys are put together: "live." + state.
        let found = if key.ends_with('.') { format!("\"{key}") } else { format!("\"{key}\":") };
        assert!(table.contains(&found), "{key}");
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
