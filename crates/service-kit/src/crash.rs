//! Crash points: places where a lesson or a test lets the process die, to see that nothing is lost.

const VARIABLE: &str = "CRASH_AT";

/// Dies here, at once and without any clean-up, when the environment says `CRASH_AT=name`.
///
/// `abort` runs no destructor and flushes nothing, which is what `kill -9` does too; unlike a signal sent through
/// another process it leaves no time for one more instruction of this one.
pub fn point(name: &str) {
    if std::env::var_os(VARIABLE).is_some_and(|wanted| wanted == name) {
        tracing::error!(point = name, "crashing on purpose");
        std::process::abort();
    }
}

/// Says at start that this process is meant to crash, so that nobody hunts for the reason.
pub(crate) fn announce() {
    if let Some(point) = std::env::var_os(VARIABLE) {
        tracing::warn!(point = %point.to_string_lossy(), "{VARIABLE} is set: this process will crash on purpose");
    }
}
