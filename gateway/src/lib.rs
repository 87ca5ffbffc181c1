#![doc = include_str!("../README.md")]

pub mod ask;
pub mod balance;
pub mod config;
pub mod connect_probe;
pub mod discovery;
mod page;
pub mod proxy;
pub mod startup;
pub mod status;
pub mod upstream;
