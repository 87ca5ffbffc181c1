#![doc = include_str!("../README.md")]

pub mod herder;
pub mod ports;
pub mod errors;
pub mod sink_task;
