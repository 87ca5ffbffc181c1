//! The rules of the catalog. Pure: no database, no Kafka, no HTTP, no clock.

mod product;
mod stock;

pub use product::{Product, ProductError};
pub use stock::{Rejection, Stock, Verdict};
