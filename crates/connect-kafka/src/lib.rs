#![doc = include_str!("../README.md")]

mod assignment;
mod clients;
mod consumer;
mod context;
mod pattern;
mod producer;
mod properties;
mod source_producer;

pub use clients::RdKafkaClients;
