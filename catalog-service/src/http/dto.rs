//! The JSON of the API. Not the domain's types: those may change without a client noticing.

use crate::domain::Product;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize)]
pub(super) struct Products {
    pub(super) products: Vec<ProductOut>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProductOut {
    product_id: i64,
    name: String,
    unit_price: i64,
    qty: i64,
}

impl From<Product> for ProductOut {
    fn from(product: Product) -> Self {
        let Product { product_id, name, unit_price, qty } = product;
        Self { product_id, name, unit_price, qty }
    }
}

/// `POST /products`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewProduct {
    product_id: i64,
    name: String,
    unit_price: i64,
    qty: i64,
}

impl From<NewProduct> for Product {
    fn from(body: NewProduct) -> Self {
        let NewProduct { product_id, name, unit_price, qty } = body;
        Self { product_id, name, unit_price, qty }
    }
}

/// `PUT /products/{id}`: the whole product. The id may be repeated, so that what was read can be sent back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProductChange {
    pub(super) product_id: Option<i64>,
    name: String,
    unit_price: i64,
    qty: i64,
}

impl ProductChange {
    pub(super) fn into_product(self, product_id: i64) -> Product {
        let Self { name, unit_price, qty, .. } = self;
        Product { product_id, name, unit_price, qty }
    }
}

/// `GET /products?limit&after`: pages by id.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    pub(super) limit: Option<u64>,
    pub(super) after: Option<i64>,
}
