//! The session key, which the leader makes and renews, and the signatures of requests between workers (KIP-507).

use super::{Effect, Leadership, Now, State};
use crate::herder::HerderError;
use crate::signature::RequestSignature;
use std::time::{Duration, Instant};

/// After a key that could not be written.
const RETRY: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(super) struct Rotation {
    /// The write that is under way.
    pub(super) writing: Option<u64>,
    retry_at: Option<Instant>,
}

impl State {
    /// Whether the leader has to make a new key. Its age is told by the clock of who made it, as in Java.
    fn needs_key(&self, now: Now) -> bool {
        let Some(keys) = &self.settings.keys else { return false };
        let leads = self.is_sessioned() && self.is_resolved() && self.leadership() == Leadership::Me;
        leads
            && self.config.session_key().is_none_or(|key| {
                key.algorithm != keys.generation_algorithm
                    || key.key.len() != keys.size
                    || self.key_expiry(key.created).is_some_and(|expiry| expiry <= now.epoch_ms)
            })
    }

    /// In milliseconds since the epoch.
    fn key_expiry(&self, created: i64) -> Option<i64> {
        let ttl = self.settings.keys.as_ref()?.ttl;
        let ttl = i64::try_from(ttl.as_millis()).ok().filter(|ttl| *ttl > 0)?;
        created.checked_add(ttl)
    }

    pub(super) fn rotate_key(&mut self, now: Now) {
        if self.rotation.retry_at.is_some_and(|at| at > now.instant) {
            return;
        }
        self.rotation.retry_at = None;
        if self.rotation.writing.is_some() || !self.needs_key(now) {
            return;
        }
        let Some(keys) = &self.settings.keys else { return };
        let (algorithm, size) = (keys.generation_algorithm.clone(), keys.size);
        let write = self.requests.next_write();
        self.rotation.writing = Some(write);
        self.effects.push(Effect::WriteSessionKey { write, algorithm, size });
    }

    pub(super) fn on_key_written(&mut self, result: Result<(), String>, now: Now) {
        self.rotation.writing = None;
        self.rotation.retry_at = match result {
            Ok(()) => None,
            Err(why) => {
                tracing::warn!(why, "no session key could be written; trying again");
                Some(now.instant + RETRY)
            }
        };
    }

    pub(super) fn rotation_wake(&self, now: Now) -> Option<Instant> {
        if let Some(retry_at) = self.rotation.retry_at {
            return Some(retry_at);
        }
        if !self.is_sessioned() || self.leadership() != Leadership::Me {
            return None;
        }
        let expiry = self.key_expiry(self.config.session_key()?.created)?;
        let left = u64::try_from(expiry.saturating_sub(now.epoch_ms)).ok().filter(|left| *left > 0)?;
        now.instant.checked_add(Duration::from_millis(left))
    }

    /// `None` when there is no key yet.
    pub(super) fn sign(&self, body: &[u8]) -> Option<RequestSignature> {
        let keys = self.settings.keys.as_ref()?;
        RequestSignature::sign(&keys.signature_algorithm, &self.config.session_key()?.key, body)
    }

    /// The texts are the reference's.
    pub(super) fn check_signature(
        &self,
        body: &[u8],
        signature: Option<&RequestSignature>,
    ) -> Result<(), HerderError> {
        let Some(keys) = self.settings.keys.as_ref().filter(|_| self.is_sessioned()) else {
            return Ok(());
        };
        let Some(signature) = signature else {
            return Err(HerderError::BadRequest("Internal request missing required signature".into()));
        };
        if !keys.verification_algorithms.contains(&signature.algorithm) {
            return Err(HerderError::BadRequest(format!(
                "This worker does not support the '{}' key signing algorithm used by other workers. This worker is currently \
                 configured to use: [{}]. Check that all workers' configuration files permit the same set of signature \
                 algorithms, and correct any misconfigured worker and restart it.",
                signature.algorithm,
                keys.verification_algorithms.join(", ")
            )));
        }
        let Some(key) = self.config.session_key() else {
            return Err(HerderError::Unavailable(
                "This worker is still starting up and has not been able to read a session key from the config topic yet"
                    .into(),
            ));
        };
        if !signature.is_valid(&key.key, body) {
            return Err(HerderError::Forbidden("Internal request contained invalid signature.".into()));
        }
        Ok(())
    }
}
