//! The REST interface over SQLite and a publisher that needs no Kafka. The same interface over real engines is tested
//! in tests/e2e.

mod bad_input;
mod helpers;
mod place;
mod process;
mod read;
