//! Everything that is checked before a connector starts.

use crate::connector_config::{Settings, framework_tables, unknown_keys};
use crate::herder::{ConnectorType, HerderError};
use crate::plugins::{ConnectorPlugin, Plugins};
use crate::secrets::Masker;
use crate::worker::guard;
use crate::worker_config::WorkerConfig;
use connect_api::ConfigMap;

pub use crate::worker::Deadlines;

pub(crate) struct Validator<'a> {
    pub(crate) plugins: &'a Plugins,
    pub(crate) worker: &'a WorkerConfig,
    pub(crate) deadlines: Deadlines,
}

/// A configuration that may be started.
pub(crate) struct Validated {
    pub(crate) plugin: ConnectorPlugin,
    pub(crate) settings: Settings,
    pub(crate) config: ConfigMap,
    pub(crate) masker: Masker,
}

/// The connector a configuration names, and what it calls secret.
pub(crate) fn resolve(
    config: &ConfigMap,
    plugins: &Plugins,
) -> Result<(ConnectorPlugin, Masker), HerderError> {
    let Some(class) = config.get("connector.class").filter(|class| !class.trim().is_empty()) else {
        let shown = Masker::new(framework_tables(ConnectorType::Sink).iter().copied()).mask(config);
        let pairs: Vec<_> = shown.iter().map(|(key, value)| format!("{key}={value}")).collect();
        return Err(HerderError::BadRequest(format!(
            "Connector config {{{}}} contains no connector type: set connector.class",
            pairs.join(", ")
        )));
    };
    let plugin = plugins.connector(class).map_err(HerderError::BadRequest)?.clone();
    let tables = framework_tables(plugin.ty()).iter().copied().chain([plugin.config_def()]);
    let masker = Masker::new(tables);
    Ok((plugin, masker))
}

/// Kafka's frame around a list of faults.
pub(crate) fn invalid(messages: &[String]) -> HerderError {
    HerderError::BadRequest(format!(
        "Connector configuration is invalid and contains the following {} error(s):\n{}",
        messages.len(),
        messages.join("\n")
    ))
}

/// The message with its key in it, whoever wrote it.
pub(crate) fn with_key((key, message): (String, String)) -> String {
    if message.contains(&key) { message } else { format!("{key}: {message}") }
}

impl Validator<'_> {
    /// Checks `config`, in which secrets are in clear.
    pub(crate) async fn validate(
        &self,
        plugin: ConnectorPlugin,
        masker: Masker,
        config: ConfigMap,
    ) -> Result<Validated, HerderError> {
        let refuse = |messages: Vec<String>| {
            invalid(&messages.iter().map(|message| masker.scrub(message, &config)).collect::<Vec<_>>())
        };
        let settings = Settings::read(plugin.ty(), &config, self.worker, self.plugins);
        let own = plugin.config_def().parse(&config);
        let settings = match (settings, own) {
            (Ok(settings), Ok(_)) => settings,
            (settings, own) => {
                let faults =
                    settings.err().unwrap_or_default().into_iter().chain(own.err().unwrap_or_default());
                return Err(refuse(faults.map(|fault| fault.message).collect()));
            }
        };
        let (asked, checked) = (plugin.clone(), config.clone());
        let faults = guard::call(self.deadlines.local, move || asked.validate(&checked)).await;
        let faults = faults.map_err(|failure| HerderError::Internal(format!("validating: {failure}")))?;
        if !faults.is_empty() {
            return Err(refuse(faults.into_iter().map(with_key).collect()));
        }
        let (asked, checked) = (plugin.clone(), config.clone());
        let remote = async move { asked.validate_remote(&checked).await };
        let faults = match guard::call_async(self.deadlines.remote, remote).await {
            Ok(faults) => faults,
            Err(failure @ (guard::PluginFailure::Panicked(_) | guard::PluginFailure::NoThread(_))) => {
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
        for (key, meant) in unknown_keys(plugin.ty(), &config, plugin.config_def()) {
            tracing::warn!(connector = %settings.common.name, key, meant, "a key of the connector is unknown and ignored");
        }
        Ok(Validated { plugin, settings, config, masker })
    }
}
