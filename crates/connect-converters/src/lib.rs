#![doc = include_str!("../README.md")]

pub mod json;
pub mod plugins;
pub mod string;

pub use plugins::{CONVERTERS, ConverterPlugin, create, find};
