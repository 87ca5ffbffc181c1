//! The catalog without Kafka: batches on SQLite files, and the REST API on a real application.

mod handler;
mod http;
mod property;
mod races;
mod support;
