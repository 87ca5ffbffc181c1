//! The task loops against Kafka in memory, with the clock stopped.

mod memory;
mod sink;
mod sink_overlap;
mod sink_partitions;
mod sink_rejects;
mod source;
