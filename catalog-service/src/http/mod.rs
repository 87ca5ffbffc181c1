//! The REST API: parse, call, map. Nothing is decided here.

mod dto;
mod products;

use crate::store::{Store, StoreError};
use actix_web::web;
use service_kit::operator::OperatorToken;
use service_kit::problem::{Problem, method_not_allowed};

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct Shared {
    pub store: Store,
    pub operator: OperatorToken,
}

pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.service(
        web::resource("/products")
            .route(web::get().to(products::list))
            .route(web::post().to(products::create))
            .default_service(method_not_allowed("GET, POST")),
    )
    .service(
        web::resource("/products/{id}")
            .route(web::get().to(products::get))
            .route(web::put().to(products::update))
            .default_service(method_not_allowed("GET, PUT")),
    );
}

/// A client can do nothing about the database but come back.
fn unavailable(error: StoreError) -> Problem {
    tracing::warn!(error = crate::chain::chain(&error), "a request could not be answered");
    Problem::unavailable("the catalog's database does not answer; try again", 5)
}
