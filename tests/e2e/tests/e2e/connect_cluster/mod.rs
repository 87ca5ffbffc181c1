//! Workers of a cluster on real Kafka: the walkthroughs W1 and W5, take-overs from and by Java's workers, groups with both.

mod chaos;
mod cluster;
mod frozen;
mod graceful;
mod half_done;
mod lines;
mod many;
mod mixed;
mod protocols;
mod takeover;
mod w1;
mod w5;
