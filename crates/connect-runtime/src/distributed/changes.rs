//! Changes of configurations: checked outside the loop, where plugins may take their time, and written by way of it.

use super::state::{Expected, Reply, Request};
use super::{HerderParts, Inner};
use crate::herder::{ConnectorInfo, HerderError, Put, TargetState};
use crate::validation::{Validation, invalid, named, with_key};
use connect_api::ConfigMap;
use indexmap::IndexMap;

/// How often a change is made anew because another one came between its check and its write.
const ATTEMPTS: usize = 5;

pub(super) fn not_found(name: &str) -> HerderError {
    HerderError::NotFound(format!("Connector {name} not found"))
}

fn changing(name: &str) -> HerderError {
    HerderError::Conflict(format!(
        "Cannot complete request momentarily: the configuration of connector {name} is changed by somebody else again and again"
    ))
}
impl Inner {
    /// Brings the connector's name into its configuration.
    fn named(name: &str, mut config: ConfigMap) -> Result<ConfigMap, HerderError> {
        match config.get("name") {
            Some(inner) if inner == name => {}
            Some(inner) => {
                return Err(HerderError::BadRequest(format!(
                    "Connector name configuration ({inner}) doesn't match connector name in the URL ({name})"
                )));
            }
            None => {
                config.insert("name".into(), name.to_owned());
            }
        }
        Ok(config)
    }

    /// The configuration with its secrets put back from what is stored.
    fn plain(&self, config: &ConfigMap, stored: Option<&ConfigMap>) -> Result<ConfigMap, HerderError> {
        let masker = named(config, &self.parts.plugins)?.masker;
        masker
            .unmask(config, stored)
            .map_err(|faults| invalid(&faults.into_iter().map(with_key).collect::<Vec<_>>()))
    }

    async fn validate(&self, config: ConfigMap) -> Result<(), HerderError> {
        self.validation().check(&config).await.map(drop)
    }

    pub(super) fn validation(&self) -> Validation<'_> {
        let HerderParts { plugins, worker_config, deadlines, .. } = &self.parts;
        Validation { plugins, worker: worker_config, deadlines: *deadlines }
    }

    pub(super) async fn create(
        &self,
        name: &str,
        config: ConfigMap,
        initial_state: Option<TargetState>,
    ) -> Result<ConnectorInfo, HerderError> {
        // Before the costly checks, which the leader makes.
        self.done(Request::Leader).await?;
        let config = Self::named(name, config)?;
        let plain = self.plain(&config, None)?;
        self.validate(plain.clone()).await?;
        let put = Request::Put {
            name: name.to_owned(),
            config: plain.clone(),
            initial_state,
            expected: Expected::Nothing,
        };
        self.ask(put).await?;
        Ok(self.written(name, &plain))
    }

    /// The answer to a new connector. The reference gives it before there are tasks, and its users expect none.
    fn written(&self, name: &str, config: &ConfigMap) -> ConnectorInfo {
        ConnectorInfo {
            name: name.to_owned(),
            config: self.masker(config).mask(config),
            tasks: Vec::new(),
            ty: self.ty(config),
        }
    }

    pub(super) async fn put(
        &self,
        name: &str,
        config: ConfigMap,
    ) -> Result<(Put, ConnectorInfo), HerderError> {
        self.done(Request::Leader).await?;
        let config = Self::named(name, config)?;
        for _ in 0..ATTEMPTS {
            let stored = self.stored(name);
            let plain = self.plain(&config, stored.as_ref())?;
            // IndexMap compares without regard to order.
            if stored.as_ref() == Some(&plain)
                && let Some(info) = self.info(name)
            {
                return Ok((Put::Updated, info));
            }
            self.validate(plain.clone()).await?;
            // With a secret that stands for what was stored, exactly that has to be there still.
            let expected = match stored {
                Some(stored) if plain != config => Expected::This(stored),
                _ => Expected::Anything,
            };
            let put =
                Request::Put { name: name.to_owned(), config: plain.clone(), initial_state: None, expected };
            match self.ask(put).await? {
                Reply::Put(Put::Created) => return Ok((Put::Created, self.written(name, &plain))),
                Reply::Put(Put::Updated) => {
                    let info = self.info(name).unwrap_or_else(|| self.written(name, &plain));
                    return Ok((Put::Updated, info));
                }
                _ => continue,
            }
        }
        Err(changing(name))
    }

    pub(super) async fn patch(
        &self,
        name: &str,
        patch: IndexMap<String, Option<String>>,
    ) -> Result<ConnectorInfo, HerderError> {
        self.done(Request::Leader).await?;
        for _ in 0..ATTEMPTS {
            let stored = self.stored(name).ok_or_else(|| not_found(name))?;
            let mut patched = stored.clone();
            for (key, value) in &patch {
                match value {
                    Some(value) => patched.insert(key.clone(), value.clone()),
                    None => patched.shift_remove(key),
                };
            }
            let plain = self.plain(&Self::named(name, patched)?, Some(&stored))?;
            if plain == stored
                && let Some(info) = self.info(name)
            {
                return Ok(info);
            }
            self.validate(plain.clone()).await?;
            let put = Request::Put {
                name: name.to_owned(),
                config: plain.clone(),
                initial_state: None,
                expected: Expected::This(stored),
            };
            if self.ask(put).await? != Reply::Stale {
                return Ok(self.info(name).unwrap_or_else(|| self.written(name, &plain)));
            }
        }
        Err(changing(name))
    }
}
