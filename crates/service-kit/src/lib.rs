#![doc = include_str!("../README.md")]

pub mod crash;
pub mod health;
pub mod json;
pub mod kafka;
pub mod operator;
pub mod problem;
pub mod registry;
pub mod secret;
pub mod shutdown;
pub mod telemetry;
pub mod trace;
