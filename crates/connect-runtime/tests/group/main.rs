//! The group protocol against recordings of the Java worker, and against random histories.

mod bytes;
mod eager_rounds;
mod histories;
mod properties;
mod rounds;
mod text;
