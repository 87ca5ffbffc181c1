#![doc = include_str!("../README.md")]

mod config;
mod sink;
mod source;

pub use sink::FileStreamSinkConnector;
pub use source::FileStreamSourceConnector;
