#![doc = include_str!("../README.md")]

mod answer;
mod body;
pub mod json;
mod routes;
mod server;
mod wire;

pub use routes::configure;
pub use server::{BindError, Listening, bind, serve};
