#![doc = include_str!("../README.md")]

pub mod browser;
mod connect;
mod database;
mod engines;
mod eventually;
pub mod kafka_client;
mod kafka_tool;
mod names;
mod own_engine;
mod pg_database;
mod process;

pub use browser::Browser;
pub use connect::{connect_distributed, java_connect_distributed};
pub use database::{Database, Rows};
pub use engines::{MariaDb, Postgres, kafka, kafka_libs, mariadb, postgres};
pub use eventually::eventually;
pub use kafka_tool::kafka_tool;
pub use names::{bin, free_port, unique};
pub use own_engine::OwnEngine;
pub use pg_database::PgDatabase;
pub use process::Process;
