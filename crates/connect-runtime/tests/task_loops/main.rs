//! The task loops against Kafka in memory, with the clock stopped.

mod memory;
mod sink;
mod source;
