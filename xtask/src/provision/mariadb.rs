//! MariaDB's server programs.

use anyhow::Context;

use super::{MariaDb, apt, variable};
use crate::paths::which;

pub(super) fn find_or_install() -> anyhow::Result<MariaDb> {
    if let Some(url) = variable("TESTKIT_MARIADB") {
        return Ok(MariaDb::Running(url));
    }
    if let Some(found) = programs() {
        return Ok(found);
    }
    // The package may start a server of its own on 3306. It is not used: ours has its own data, port and root password.
    apt::install(
        "MariaDB (mariadbd, mariadb-install-db)",
        &["mariadb-server", "mariadb-client"],
        "install MariaDB 10.11 or newer, or set TESTKIT_MARIADB=mysql://root:PASSWORD@HOST:PORT to a server that tests may use",
    )?;
    programs()
        .context("the package mariadb-server is installed, but mariadbd or mariadb-install-db is not on PATH")
}

fn programs() -> Option<MariaDb> {
    Some(MariaDb::Programs { mariadbd: which("mariadbd")?, install_db: which("mariadb-install-db")? })
}
