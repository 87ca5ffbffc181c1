//! Chromium and its WebDriver, for the tests of the status page.

use anyhow::bail;

use super::apt;
use crate::paths::which;

/// Finds or installs both. The tests look for them on PATH.
pub(super) fn require() -> anyhow::Result<()> {
    if missing().is_none() {
        return Ok(());
    }
    apt::install(
        "Chromium with its WebDriver (chromium, chromedriver)",
        &["chromium", "chromium-driver"],
        "install Chromium and chromedriver of one version, and put `chromium` and `chromedriver` on PATH",
    )?;
    match missing() {
        None => Ok(()),
        Some(program) => {
            bail!("the packages chromium and chromium-driver are installed, but {program} is not on PATH")
        }
    }
}

fn missing() -> Option<&'static str> {
    ["chromium", "chromedriver"].into_iter().find(|program| which(program).is_none())
}
