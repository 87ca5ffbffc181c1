//! The status page: a few files, built into the binary, that load nothing from anywhere else.

use crate::status;
use actix_web::guard::{self, Guard};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpResponse, Route, web};
use service_kit::problem;

/// Scripts and styles come from here alone; nothing inline, nothing framed.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SCRIPT: &str = "text/javascript; charset=utf-8";

const FILES: &[(&str, &str, &str)] = &[
    ("/", "text/html; charset=utf-8", include_str!("index.html")),
    ("/assets/app.css", "text/css; charset=utf-8", include_str!("app.css")),
    ("/assets/app.js", SCRIPT, include_str!("app.js")),
    ("/assets/dom.js", SCRIPT, include_str!("dom.js")),
    ("/assets/language.js", SCRIPT, include_str!("language.js")),
    ("/assets/order.js", SCRIPT, include_str!("order.js")),
    ("/assets/texts.js", SCRIPT, include_str!("texts.js")),
    ("/assets/icon.svg", "image/svg+xml", include_str!("icon.svg")),
];

pub(crate) fn configure(cfg: &mut web::ServiceConfig) {
    for (path, content_type, text) in FILES {
        let file = move || async move {
            HttpResponse::Ok()
                .content_type(*content_type)
                .insert_header((CONTENT_SECURITY_POLICY, POLICY))
                .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
                .insert_header((REFERRER_POLICY, "no-referrer"))
                // A new binary brings a new page.
                .insert_header((CACHE_CONTROL, "no-cache"))
                .body(*text)
        };
        add(cfg, path, web::route().to(file));
    }
    add(cfg, "/status.json", web::route().to(status::serve));
}

fn add(cfg: &mut web::ServiceConfig, path: &str, route: Route) {
    let resource = web::resource(path).route(route.guard(get_or_head()));
    cfg.service(resource.default_service(problem::method_not_allowed("GET, HEAD")));
}

fn get_or_head() -> impl Guard {
    guard::Any(guard::Get()).or(guard::Head())
}
