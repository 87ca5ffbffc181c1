//! The gateway as its clients see it: a real server on a port of its own, in front of real upstreams that answer, echo,
//! refuse, die or dawdle. No Kafka: the instances are put into the directory by hand.

mod bodies;
mod helpers;
mod page;
mod paths_and_headers;
mod retries;
mod status;
mod streaming;
