#![doc = include_str!("../README.md")]

mod config;
pub mod dialect;
mod driver;
mod sink;
mod url;

pub use sink::JdbcSinkConnector;
