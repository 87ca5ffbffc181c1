//! JDBC connectors while databases, workers and brokers are killed, freeze, fill up and fall silent. The engines are the tests' own.

mod full;
mod silent;
mod sink;
mod source;
mod world;
