//! Schemas and values: Connect's data model (`org.apache.kafka.connect.data`), with flat values beside a shared
//! schema instead of a schema inside every struct.

mod decimal;
pub mod java;
mod schema;
mod value;

pub use decimal::Decimal;
pub use schema::{Field, Logical, Schema, SchemaRef, Type, logical_name};
pub use value::Value;
