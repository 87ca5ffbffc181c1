//! The sink against real SQLite files, called as the runtime calls it.

mod bad_rows;
mod exactly_once;
mod rows;
mod support;
mod tables;
