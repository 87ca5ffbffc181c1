#![doc = include_str!("../README.md")]

mod assignment;
mod clients;
mod consumer;
mod context;
mod pattern;
mod producer;
mod properties;

pub use clients::RdKafkaClients;
