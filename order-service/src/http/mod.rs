//! REST: parse, call, map. Nothing is decided here.

mod dto;
mod orders;
mod request;

use actix_web::web;
use service_kit::problem::method_not_allowed;

/// The routes; needs `web::Data<Orders>` among the application's data.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.service(
        // An empty user id is a mistake to be named, not an unknown path.
        web::resource("/users/{user_id:[^/]*}/orders")
            .route(web::get().to(orders::of_user))
            .route(web::post().to(orders::place))
            .default_service(method_not_allowed("GET, POST")),
    )
    .service(
        web::resource("/orders")
            .route(web::get().to(orders::of_all))
            .default_service(method_not_allowed("GET")),
    )
    .service(
        web::resource("/orders/{order_id}")
            .route(web::get().to(orders::one))
            .default_service(method_not_allowed("GET")),
    );
}
