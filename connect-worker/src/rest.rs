//! The REST API of a worker, as its configuration wants it.

use crate::Failure;
use crate::settings::Settings;
use connect_api::config::ConfigFault;
use connect_rest::{Cors, HeaderRules, Listening, RestOptions};
use connect_runtime::worker_config::WorkerConfig;

/// Opened before anything else, so that whoever watches the worker is answered from the first moment on.
pub(crate) struct Rest {
    pub(crate) listening: Listening,
    pub(crate) options: RestOptions,
    /// Where other workers reach this one, with a slash at the end.
    pub(crate) url: String,
    /// The same as `host:port`.
    pub(crate) worker_id: String,
}

pub(crate) fn options(worker: &WorkerConfig) -> Result<RestOptions, ConfigFault> {
    let access = &worker.access_control;
    Ok(RestOptions {
        cors: Cors::parse(&access.allow_origin, &access.allow_methods)?,
        headers: HeaderRules::parse(&worker.response_headers)?,
        ..RestOptions::default()
    })
}

pub(crate) fn open(settings: &Settings, worker: &WorkerConfig) -> Result<Rest, Failure> {
    let options = options(worker).map_err(|fault| settings.failure(&[fault]))?;
    let listening = connect_rest::bind(&worker.listeners, &worker.admin_listeners)
        .map_err(|error| settings.because(error))?;
    // There is at least one, the table sees to that.
    let (first, bound) = (&worker.listeners[0], listening.addresses[0]);
    let rest = Rest {
        url: worker.advertised.url(first, bound),
        worker_id: worker.advertised.worker_id(first, bound),
        listening,
        options,
    };
    for address in &rest.listening.addresses {
        tracing::info!(%address, worker_id = rest.worker_id, "the REST API listens");
    }
    for address in &rest.listening.admin_addresses {
        tracing::info!(%address, "the admin part of the REST API listens");
    }
    Ok(rest)
}
