//! The levels of this process's loggers, changeable while it runs: `/admin/loggers`.

mod levels;
mod names;

use connect_runtime::herder::LoggerLevel;
use connect_runtime::ports::{LEVELS, LogLevels};
use levels::Levels;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::reload;

/// Levels that take effect at once.
pub struct ReloadableLevels {
    levels: Mutex<Levels>,
    filter: reload::Handle<Targets, Registry>,
}

impl ReloadableLevels {
    /// The layer to put under all others, and the handle that changes it.
    pub fn new(start: &Targets) -> (reload::Layer<Targets, Registry>, Self) {
        let levels = Levels::new(start);
        let (layer, filter) = reload::Layer::new(levels.filter());
        (layer, Self { levels: Mutex::new(levels), filter })
    }

    fn lock(&self) -> MutexGuard<'_, Levels> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the variables of the container images say: `CONNECT_LOG4J_ROOT_LOGLEVEL` and `CONNECT_LOG4J_LOGGERS`. Returns what
    /// could not be followed.
    pub(crate) fn configure(&self, loggers: &[(String, String)]) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, level) in loggers {
            let level = level.to_ascii_uppercase();
            // Log4j's level below OFF and TRACE.
            let level = if level == "ALL" { "TRACE" } else { &*level };
            if !LEVELS.contains(&level) {
                faults.push(format!("{level} is no log level: use one of {}", LEVELS.join(", ")));
            } else if self.lock().get(name).is_none() {
                faults.push(format!("this worker has no logger {name}"));
            } else {
                self.set(name, level);
            }
        }
        faults
    }
}

impl LogLevels for ReloadableLevels {
    fn all(&self) -> Vec<LoggerLevel> {
        self.lock().all()
    }

    fn get(&self, name: &str) -> Option<LoggerLevel> {
        self.lock().get(name)
    }

    fn set(&self, name: &str, level: &str) -> Vec<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        let mut levels = self.lock();
        let changed = levels.set(name, level, now);
        // Fails only when the subscriber is gone, and with it all logging.
        let _ = self.filter.reload(levels.filter());
        changed
    }
}
