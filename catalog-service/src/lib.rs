#![doc = include_str!("../README.md")]

pub mod chain;
pub mod config;
pub mod domain;
pub mod events;
pub mod http;
pub mod startup;
pub mod store;
