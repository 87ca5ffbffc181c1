//! The source's task against real SQLite files: each mode, restarts from offsets, and what a task does in trouble.

mod extensions;
mod modes;
mod offsets;
mod rig;
mod trouble;
