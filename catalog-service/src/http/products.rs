use super::dto::{NewProduct, Page, ProductChange, ProductOut, Products};
use super::{Shared, unavailable};
use crate::domain::Product;
use crate::store::Insert;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use service_kit::json;
use service_kit::problem::{Problem, ProblemResult, shortened};

const LIMIT_DEFAULT: u64 = 100;
const LIMIT_MAX: u64 = 1_000;

pub(super) async fn list(shared: web::Data<Shared>, page: web::Query<Page>) -> ProblemResult<HttpResponse> {
    let limit = page.limit.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::invalid_field("limit", format_args!("is {limit}; it must be 1 to {LIMIT_MAX}")));
    }
    let products = shared.store.products(page.after.unwrap_or(0), limit).await.map_err(unavailable)?;
    let products = products.into_iter().map(ProductOut::from).collect();
    Ok(HttpResponse::Ok().json(Products { products }))
}

pub(super) async fn get(shared: web::Data<Shared>, id: web::Path<String>) -> ProblemResult<HttpResponse> {
    let id = product_id(&id)?;
    let product = shared.store.product(id).await.map_err(unavailable)?;
    let product = product.ok_or_else(|| unknown(id))?;
    Ok(HttpResponse::Ok().json(ProductOut::from(product)))
}

pub(super) async fn create(
    shared: web::Data<Shared>,
    req: HttpRequest,
    payload: web::Payload,
) -> ProblemResult<HttpResponse> {
    shared.operator.check(&req)?;
    let product = Product::from(json::body::<NewProduct>(&req, payload).await?);
    check(&product)?;
    let id = product.product_id;
    match shared.store.insert_product(&product).await.map_err(unavailable)? {
        Insert::Inserted => Ok(HttpResponse::Created()
            .insert_header((LOCATION, format!("/products/{id}")))
            .json(ProductOut::from(product))),
        Insert::Exists => {
            let detail = format!("productId {id} exists already; change it with PUT /products/{id}");
            Err(Problem::conflict(detail).with_field("productId"))
        }
    }
}

pub(super) async fn update(
    shared: web::Data<Shared>,
    id: web::Path<String>,
    req: HttpRequest,
    payload: web::Payload,
) -> ProblemResult<HttpResponse> {
    shared.operator.check(&req)?;
    let id = product_id(&id)?;
    let change = json::body::<ProductChange>(&req, payload).await?;
    if let Some(other) = change.product_id.filter(|other| *other != id) {
        let rule =
            format_args!("is {other}, but the path says {id}; leave it out or send the same").to_string();
        return Err(Problem::invalid_field("productId", rule));
    }
    let product = change.into_product(id);
    check(&product)?;
    if !shared.store.update_product(&product).await.map_err(unavailable)? {
        return Err(unknown(id));
    }
    Ok(HttpResponse::Ok().json(ProductOut::from(product)))
}

fn check(product: &Product) -> ProblemResult<()> {
    product.check().map_err(|error| Problem::invalid_field(error.field, error.rule))
}

fn product_id(text: &str) -> ProblemResult<i64> {
    // Digits only: `parse` alone would take a plus sign, and one product would have two addresses.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(id) if digits && id > 0 => Ok(id),
        _ => {
            let rule = format!("is {:?}; it must be a whole number from 1 to {}", shortened(text), i64::MAX);
            Err(Problem::invalid_field("productId", rule))
        }
    }
}

fn unknown(id: i64) -> Problem {
    Problem::not_found(format!("there is no product {id}")).with("productId", id)
}
