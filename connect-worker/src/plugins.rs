//! The plugins of this worker. Write your own connector: implement `SourceConnector` or
//! `SinkConnector` and add it here; crates/connect-file/README.md is the lesson.

use connect_converters::CONVERTERS;
use connect_file::{FileStreamSinkConnector, FileStreamSourceConnector};
use connect_jdbc::JdbcSinkConnector;
use connect_runtime::plugins::Plugins;
use std::sync::Arc;

pub(crate) fn plugins() -> Plugins {
    let converters: Vec<&'static str> = CONVERTERS.iter().map(|plugin| plugin.class).collect();
    Plugins::new()
        .with_sink(Arc::new(JdbcSinkConnector))
        .with_source(Arc::new(FileStreamSourceConnector))
        .with_sink(Arc::new(FileStreamSinkConnector))
        .with_converters(&converters, connect_converters::create)
}
