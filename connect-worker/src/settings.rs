//! The worker's settings: its file, and over it the environment.

use crate::Failure;
use crate::environment::Environment;
use crate::log_levels::ReloadableLevels;
use connect_api::ConfigMap;
use connect_api::config::ConfigFault;
use connect_runtime::properties;
use connect_runtime::worker_config::Read;
use std::error::Error;
use std::path::Path;

/// Keys and values as they were given.
pub(crate) struct Settings {
    pub(crate) values: ConfigMap,
    /// Where they come from, for error texts: `worker.properties`.
    pub(crate) origin: String,
    pub(crate) environment: Environment,
    /// Keys that stand in the file more than once.
    pub(crate) repeated: Vec<String>,
}

impl Settings {
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, Failure> {
        let environment = Environment::read(std::env::vars_os()).map_err(Failure::Worker)?;
        let (mut values, repeated) = match file {
            None => Default::default(),
            Some(path) => {
                let file = properties::read(path).map_err(|error| Failure::Worker(one_line(&error)))?;
                (file.values, file.repeated)
            }
        };
        values.extend(environment.values.clone());
        let origin = match (file, environment.names.is_empty()) {
            (Some(path), true) => path.display().to_string(),
            (Some(path), false) => format!("{} and the environment", path.display()),
            (None, _) => "the environment".to_owned(),
        };
        Ok(Self { values, origin, environment, repeated })
    }

    /// Makes the worker's configuration of them, says in the log what is worth saying, and sets the log levels of the environment.
    pub(crate) fn configure(
        &self,
        levels: &ReloadableLevels,
        read: impl FnOnce(&ConfigMap) -> Result<Read, Vec<ConfigFault>>,
    ) -> Result<Read, Failure> {
        let unknown_loggers = levels.configure(&self.environment.loggers);
        warn_repeated(&self.origin, &self.repeated);
        if !self.environment.names.is_empty() {
            let names = self.environment.names.join(", ");
            tracing::info!(variables = names, "the environment sets keys of the worker, over the file's");
        }
        for note in self.environment.notes.iter().chain(&unknown_loggers) {
            tracing::warn!(note, "environment");
        }
        match read(&self.values) {
            Ok(read) => {
                for note in &read.notes {
                    tracing::warn!(file = self.origin, note = note.message, "worker configuration");
                }
                Ok(read)
            }
            Err(faults) => Err(self.failure(&faults)),
        }
    }

    /// All faults in one line.
    pub(crate) fn failure(&self, faults: &[ConfigFault]) -> Failure {
        let faults: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
        self.because(faults.join("; "))
    }

    pub(crate) fn because(&self, why: impl std::fmt::Display) -> Failure {
        Failure::Worker(format!("{}: {why}", self.origin))
    }
}

pub(crate) fn warn_repeated(file: &str, keys: &[String]) {
    for key in keys {
        tracing::warn!(file, key, "a key is given more than once, the last value counts");
    }
}

/// An error and its causes.
fn one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}
