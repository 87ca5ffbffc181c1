//! What the sink does with bad rows, and how it keeps its own positions, on real SQLite files.

mod bad_rows;
mod exactly_once;
mod support;
