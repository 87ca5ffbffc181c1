#![doc = include_str!("../README.md")]

mod answer;
mod body;
mod call;
mod client;
mod cors;
mod dispatch;
mod fetch;
mod forward;
mod header_rules;
pub mod json;
mod paths;
mod peers;
mod reference;
mod request_log;
mod routes;
mod server;
#[cfg(test)]
mod tests;
mod wire;

pub use cors::Cors;
pub use fetch::fetch;
pub use header_rules::HeaderRules;
pub use peers::RestPeers;
pub use reference::reference_markdown;
pub use routes::{Audience, Parameter, Route, routes};
pub use server::{BindError, Listening, RestOptions, bind, serve};
