#![doc = include_str!("../README.md")]

pub mod herder;
pub mod ports;
