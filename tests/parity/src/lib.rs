#![doc = include_str!("../README.md")]

mod cluster;
mod findings;
mod json_match;
mod parse;
mod pattern;
mod play;
mod records;
mod report;
mod request;
mod scenario;
mod suite;
mod variables;

pub use scenario::Side;
pub use suite::{Options, run};
