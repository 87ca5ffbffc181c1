//! The plugins of this worker. Write your own connector: implement `SourceConnector` or
//! `SinkConnector` and add it here; crates/connect-file/README.md is the lesson.

use connect_converters::CONVERTERS;
use connect_file::{FileStreamSinkConnector, FileStreamSourceConnector};
use connect_jdbc::{JdbcSinkConnector, JdbcSourceConnector};
use connect_runtime::plugins::{ConverterClass, Plugins};
use std::sync::Arc;

pub fn plugins() -> Plugins {
    let converters = CONVERTERS.iter().map(|plugin| ConverterClass {
        class: plugin.class,
        version: plugin.version,
        config_def: plugin.config_def,
    });
    Plugins::new()
        .with_source(Arc::new(JdbcSourceConnector::confluent()))
        // The short names mean Confluent's connectors, which most configurations were written for.
        .with_source(Arc::new(JdbcSourceConnector::aiven()))
        .by_full_name_only()
        .with_sink(Arc::new(JdbcSinkConnector::confluent()))
        .with_sink(Arc::new(JdbcSinkConnector::aiven()))
        .by_full_name_only()
        .with_source(Arc::new(FileStreamSourceConnector))
        .with_sink(Arc::new(FileStreamSinkConnector))
        .with_converters(converters, connect_converters::create)
}
