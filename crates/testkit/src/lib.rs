#![doc = include_str!("../README.md")]

pub mod browser;
mod database;
mod engines;
mod eventually;
pub mod kafka_client;
mod kafka_tool;
mod names;
mod process;

pub use browser::Browser;
pub use database::{Database, Rows};
pub use engines::{MariaDb, kafka, kafka_libs, mariadb};
pub use eventually::eventually;
pub use kafka_tool::kafka_tool;
pub use names::{bin, free_port, unique};
pub use process::Process;
