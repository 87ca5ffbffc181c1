//! Everything that is checked before a connector starts.

use super::guard;
use crate::connector_config::{COMMON_CONFIG, SINK_CONFIG, SinkSettings, unknown_keys};
use crate::errors::ERRORS_CONFIG;
use crate::herder::HerderError;
use crate::plugins::Plugins;
use crate::secrets::Masker;
use crate::worker_config::WorkerConfig;
use connect_api::{ConfigMap, SinkConnector};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// How long plugins may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// A call that does no I/O.
    pub local: Duration,
    /// `validate_remote`.
    pub remote: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        // Below the 90 s that the reference grants a request, and above what a driver takes to give up a connection.
        Self { local: Duration::from_secs(10), remote: Duration::from_secs(30) }
    }
}

pub(super) struct Validator<'a> {
    pub(super) plugins: &'a Plugins,
    pub(super) worker: &'a WorkerConfig,
    pub(super) runtime: &'a Handle,
    pub(super) deadlines: Deadlines,
}

/// A configuration that may be started.
pub(super) struct Validated {
    pub(super) sink: Arc<dyn SinkConnector>,
    pub(super) settings: SinkSettings,
    pub(super) config: ConfigMap,
    pub(super) masker: Masker,
}

/// The connector a configuration names, and what it calls secret.
pub(super) fn resolve(
    config: &ConfigMap,
    plugins: &Plugins,
) -> Result<(Arc<dyn SinkConnector>, Masker), HerderError> {
    let framework = || [&COMMON_CONFIG, &SINK_CONFIG, &ERRORS_CONFIG];
    let Some(class) = config.get("connector.class").filter(|class| !class.trim().is_empty()) else {
        let shown = Masker::new(framework()).mask(config);
        let pairs: Vec<_> = shown.iter().map(|(key, value)| format!("{key}={value}")).collect();
        return Err(HerderError::BadRequest(format!(
            "Connector config {{{}}} contains no connector type: set connector.class",
            pairs.join(", ")
        )));
    };
    let sink = plugins.sink(class).map_err(HerderError::BadRequest)?.clone();
    let masker = Masker::new(framework().into_iter().chain([sink.config_def()]));
    Ok((sink, masker))
}

/// Kafka's frame around a list of faults.
pub(super) fn invalid(messages: &[String]) -> HerderError {
    HerderError::BadRequest(format!(
        "Connector configuration is invalid and contains the following {} error(s):\n{}",
        messages.len(),
        messages.join("\n")
    ))
}

/// The message with its key in it, whoever wrote it.
pub(super) fn with_key((key, message): (String, String)) -> String {
    if message.contains(&key) { message } else { format!("{key}: {message}") }
}

impl Validator<'_> {
    /// Checks `config`, in which secrets are in clear.
    pub(super) async fn validate(
        &self,
        sink: Arc<dyn SinkConnector>,
        masker: Masker,
        config: ConfigMap,
    ) -> Result<Validated, HerderError> {
        let refuse = |messages: Vec<String>| {
            invalid(&messages.iter().map(|message| masker.scrub(message, &config)).collect::<Vec<_>>())
        };
        let settings = SinkSettings::read(&config, self.worker, self.plugins);
        let own = sink.config_def().parse(&config);
        let settings = match (settings, own) {
            (Ok(settings), Ok(_)) => settings,
            (settings, own) => {
                let faults =
                    settings.err().unwrap_or_default().into_iter().chain(own.err().unwrap_or_default());
                return Err(refuse(faults.map(|fault| fault.message).collect()));
            }
        };
        let (plugin, checked) = (sink.clone(), config.clone());
        let faults = guard::call(self.runtime, self.deadlines.local, move || plugin.validate(&checked)).await;
        let faults = faults.map_err(|failure| HerderError::Internal(format!("validating: {failure}")))?;
        if !faults.is_empty() {
            return Err(refuse(faults.into_iter().map(with_key).collect()));
        }
        let (plugin, checked) = (sink.clone(), config.clone());
        let remote = async move { plugin.validate_remote(&checked).await };
        let faults = match guard::call_async(self.runtime, self.deadlines.remote, remote).await {
            Ok(faults) => faults,
            Err(failure @ guard::PluginFailure::Panicked(_)) => {
                return Err(HerderError::Internal(format!("validating: {failure}")));
            }
            // What it waits for is named by the configuration, so the configuration is what to look at.
            Err(failure @ guard::PluginFailure::TimedOut(_)) => {
                return Err(refuse(vec![format!(
                    "The outside system that the configuration names cannot be reached: {failure}"
                )]));
            }
        };
        if !faults.is_empty() {
            return Err(refuse(faults.into_iter().map(with_key).collect()));
        }
        for (key, meant) in unknown_keys(&config, sink.config_def()) {
            tracing::warn!(connector = %settings.name, key, meant, "a key of the connector is unknown and ignored");
        }
        Ok(Validated { sink, settings, config, masker })
    }
}
