#![doc = include_str!("../README.md")]

mod config;
pub mod dialect;
mod driver;
mod sink;
mod source;
mod url;
mod zone;

pub use sink::JdbcSinkConnector;
pub use source::JdbcSourceConnector;
