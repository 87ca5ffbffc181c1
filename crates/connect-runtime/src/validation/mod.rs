//! Everything that is checked before a connector is stored, and what forms need to know about the keys of plugins.
//!
//! One assessment stands behind both answers: `PUT validate` shows all of it, a refused `POST` or `PUT config` lists its errors.
//! Values of config providers are looked up for the checks and never shown.

mod assessment;
mod key_infos;

pub use key_infos::key_infos;

use crate::config_providers::Resolved;
use crate::connector_config::{NO_TOPICS, Settings, TOPICS_TWICE, framework_tables, unknown_keys};
use crate::herder::{ConfigInfos, ConnectorType, HerderError};
use crate::plugins::{ConnectorPlugin, Plugins};
use crate::secrets::{Masker, Secrets};
use crate::worker::{Deadlines, guard};
use crate::worker_config::WorkerConfig;
use assessment::Assessment;
use connect_api::config::ConfigFault;
use connect_api::{ConfigMap, ConnectError};

/// What the checks need to know of the worker.
#[derive(Clone, Copy)]
pub struct Validation<'a> {
    pub plugins: &'a Plugins,
    pub worker: &'a WorkerConfig,
    pub deadlines: Deadlines,
}

/// A configuration that may be stored and started.
pub struct Validated {
    pub class: &'static str,
    pub plugin: ConnectorPlugin,
    pub settings: Settings,
    pub masker: Masker,
}

/// The connector that a configuration names.
#[derive(Clone)]
pub struct Named {
    pub class: &'static str,
    pub plugin: ConnectorPlugin,
    /// Knows what the configuration calls secret.
    pub masker: Masker,
}

/// The connector that `config` names; the refusal is a sentence for the user.
pub fn named(config: &ConfigMap, plugins: &Plugins) -> Result<Named, HerderError> {
    let Some(class) = config.get("connector.class").filter(|class| !class.trim().is_empty()) else {
        let shown = Masker::new(framework_tables(ConnectorType::Sink).iter().copied()).mask(config);
        let pairs: Vec<_> = shown.iter().map(|(key, value)| format!("{key}={value}")).collect();
        return Err(HerderError::BadRequest(format!(
            "Connector config {{{}}} contains no connector type: set connector.class",
            pairs.join(", ")
        )));
    };
    let (class, plugin) = plugins.connector_class(class).map_err(HerderError::BadRequest)?;
    let tables = framework_tables(plugin.ty()).iter().copied().chain([plugin.config_def()]);
    Ok(Named { class, plugin: plugin.clone(), masker: Masker::new(tables) })
}

/// Kafka's frame around a list of faults.
pub fn invalid(messages: &[String]) -> HerderError {
    HerderError::BadRequest(format!(
        "Connector configuration is invalid and contains the following {} error(s):\n{}\nYou can also find the above list \
         of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`",
        messages.len(),
        messages.join("\n")
    ))
}

impl Validation<'_> {
    /// Checks `config` as it would be stored: secrets in clear, placeholders in place.
    pub async fn check(&self, config: &ConfigMap) -> Result<Validated, HerderError> {
        let Named { class, plugin, masker } = named(config, self.plugins)?;
        let resolved =
            self.resolve(config).await?.map_err(|error| invalid(&[masker.scrub(&error.chain(), config)]))?;
        let secrets = Secrets::new(masker.clone(), resolved.config.clone(), resolved.secrets.clone());
        let (assessment, settings) = self.assess(&plugin, &resolved.config).await?;
        let errors: Vec<String> = assessment.errors().map(|error| secrets.scrub(error)).collect();
        let (Some(settings), true) = (settings, errors.is_empty()) else { return Err(invalid(&errors)) };
        for (key, meant) in unknown_keys(plugin.ty(), config, plugin.config_def()) {
            let connector = &settings.common.name;
            tracing::warn!(connector, key, meant, "a key of the connector is unknown and ignored");
        }
        Ok(Validated { class, plugin, settings, masker })
    }

    /// The answer of `PUT /connector-plugins/{plugin}/config/validate`. `plugin` is the class as the path has it; `stored` is what
    /// is stored for the connector, which the masked values of `sent` stand for.
    pub async fn config_infos(
        &self,
        plugin: &str,
        sent: &ConfigMap,
        stored: Option<&ConfigMap>,
    ) -> Result<ConfigInfos, HerderError> {
        let included = sent.get("connector.class").map(|class| class.trim()).unwrap_or_default();
        if !included.is_empty() && !without_suffix(included).ends_with(without_suffix(plugin)) {
            return Err(HerderError::BadRequest(format!(
                "Included connector type {included} does not match request type {plugin}"
            )));
        }
        let Named { plugin, masker, .. } = named(sent, self.plugins)?;
        let (plain, masked) = match masker.unmask(sent, stored) {
            Ok(plain) => (plain, Vec::new()),
            Err(faults) => (sent.clone(), faults),
        };
        let resolved = self.resolve(&plain).await?;
        let resolved =
            resolved.map_err(|error| HerderError::BadRequest(masker.scrub(&error.chain(), &plain)))?;
        let secrets = Secrets::new(masker.clone(), resolved.config.clone(), resolved.secrets);
        let (mut assessment, _) = self.assess(&plugin, &resolved.config).await?;
        masked.into_iter().for_each(|(key, message)| assessment.add(&key, message));
        let show = |key: &str, value: &str| {
            // Whatever came out of a config provider is shown as the placeholder that was sent.
            let unresolved = plain.get(key).filter(|plain| resolved.config.get(key) != Some(plain));
            masker.mask_value(key, unresolved.map_or(value, String::as_str))
        };
        Ok(assessment.into_infos(included, show, |error| secrets.scrub(error)))
    }

    /// Files may be slow, and a share that hangs must not hold up the worker.
    async fn resolve(&self, config: &ConfigMap) -> Result<Result<Resolved, ConnectError>, HerderError> {
        let (providers, config) = (self.worker.providers.clone(), config.clone());
        guard::call(self.deadlines.local, move || providers.resolve(&config)).await.map_err(|failure| {
            HerderError::BadRequest(format!(
                "The values of the config providers cannot be looked up: {failure}"
            ))
        })
    }

    async fn assess(
        &self,
        plugin: &ConnectorPlugin,
        config: &ConfigMap,
    ) -> Result<(Assessment, Option<Settings>), HerderError> {
        let mut assessment = Assessment::of_tables(plugin, config, self.worker, self.plugins);
        let settings = match Settings::read(plugin.ty(), config, self.worker, self.plugins) {
            Ok(settings) => Some(settings),
            Err(faults) => {
                for fault in faults {
                    if let Some(key) = told_too(&fault) {
                        assessment.add(key, fault.message.clone());
                    }
                    assessment.add(&fault.key, fault.message);
                }
                None
            }
        };
        if plugin.config_def().parse(config).is_ok() {
            let (asked, checked) = (plugin.clone(), config.clone());
            let faults = guard::call(self.deadlines.local, move || asked.validate(&checked)).await;
            let faults = faults.map_err(|failure| HerderError::Internal(format!("validating: {failure}")))?;
            faults.into_iter().for_each(|fault| assessment.add_with_key(fault));
        }
        if assessment.errors().next().is_none() {
            let (asked, checked) = (plugin.clone(), config.clone());
            let remote = async move { asked.validate_remote(&checked).await };
            match guard::call_async(self.deadlines.remote, remote).await {
                Ok(faults) => faults.into_iter().for_each(|fault| assessment.add_with_key(fault)),
                // What it waits for is named by the configuration, so the configuration is what to look at.
                Err(failure @ guard::PluginFailure::TimedOut(_)) => assessment.add(
                    "connector.class",
                    format!("The outside system that the configuration names cannot be reached: {failure}"),
                ),
                Err(failure) => return Err(HerderError::Internal(format!("validating: {failure}"))),
            }
        }
        Ok((assessment, settings))
    }
}

/// The other key at which Java's worker tells of the same fault; clients count what it tells.
fn told_too(fault: &ConfigFault) -> Option<&str> {
    match fault.key.as_str() {
        "topics" if [NO_TOPICS, TOPICS_TWICE].contains(&fault.message.as_str()) => Some("topics.regex"),
        "connector.plugin.version" => Some("connector.class"),
        key => key.strip_suffix(".plugin.version"),
    }
}

/// The fault with its key in it, whoever wrote it.
pub fn with_key((key, message): (String, String)) -> String {
    if message.contains(&key) { message } else { format!("{key}: {message}") }
}

/// Java's worker compares the names of connectors without this ending.
fn without_suffix(class: &str) -> &str {
    class.strip_suffix("Connector").filter(|rest| !rest.is_empty()).unwrap_or(class)
}

#[cfg(test)]
mod tests;
