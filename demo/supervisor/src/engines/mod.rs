//! Kafka and the databases, as the demo itself uses them: to prepare, to look, and to clean up.

pub(crate) mod database;
pub(crate) mod kafka;
