//! The plugins of this worker. Write your own connector: implement `SinkConnector` and add it here.

use connect_converters::CONVERTERS;
use connect_jdbc::JdbcSinkConnector;
use connect_runtime::plugins::Plugins;
use std::sync::Arc;

pub(crate) fn plugins() -> Plugins {
    let converters: Vec<&'static str> = CONVERTERS.iter().map(|plugin| plugin.class).collect();
    Plugins::new()
        .with_sink(Arc::new(JdbcSinkConnector))
        .with_converters(&converters, connect_converters::create)
}
