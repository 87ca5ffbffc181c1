#![doc = include_str!("../README.md")]

pub mod config_providers;
pub mod connector_config;
pub mod control;
pub mod dead_letter;
pub mod distributed;
pub mod errors;
#[doc(hidden)]
pub mod fuzzing;
pub mod group;
pub mod herder;
mod nearest;
pub mod observer;
pub mod offsets;
pub mod plugins;
pub mod ports;
pub mod properties;
pub mod secrets;
pub mod signature;
pub mod sink_task;
pub mod source_task;
pub mod store;
mod submitted;
#[cfg(test)]
mod testing;
pub mod validation;
mod version_range;
pub mod worker;
pub mod worker_config;
