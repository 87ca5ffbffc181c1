#![doc = include_str!("../README.md")]

pub mod config;
pub mod connector;
pub mod converter;
pub mod data;
mod error;
pub mod json;
pub mod record;
pub mod source;

pub use config::{ConfigDef, ConfigKey, ConfigMap, ParsedConfig};
pub use connector::{PutError, Rejected, SinkConnector, SinkTask, SinkTaskContext};
pub use converter::Converter;
pub use data::{Decimal, Field, Logical, Schema, SchemaRef, Type, Value};
pub use error::ConnectError;
pub use record::{OffsetMap, SinkRecord, SourceOffset, SourceRecord, TopicPartition};
pub use source::{OffsetReader, PollError, SourceConnector, SourceTask, SourceTaskContext};
