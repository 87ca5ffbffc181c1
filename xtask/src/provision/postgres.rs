//! PostgreSQL's server programs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Postgres, apt, variable};
use crate::paths::which;

pub(super) fn find_or_install() -> anyhow::Result<Postgres> {
    if let Some(url) = variable("TESTKIT_POSTGRES") {
        return Ok(Postgres::Running(url));
    }
    if let Some(found) = programs() {
        return Ok(found);
    }
    // The package may start a server of its own on 5432. It is not used: ours has its own data, port and password.
    apt::install(
        "PostgreSQL (postgres, initdb)",
        &["postgresql"],
        "install PostgreSQL 13 or newer, or set TESTKIT_POSTGRES=postgres://postgres:PASSWORD@HOST:PORT to a server that \
         tests may use",
    )?;
    programs().context(
        "the package postgresql is installed, but postgres and initdb are neither on PATH nor in /usr/lib/postgresql/*/bin",
    )
}

fn programs() -> Option<Postgres> {
    let on_path = which("postgres").zip(which("initdb"));
    let found = on_path.or_else(|| {
        // Debian keeps every version's programs to itself.
        let mut versions = debian_versions(Path::new("/usr/lib/postgresql"));
        versions.sort();
        versions.pop().map(|(_, bin)| (bin.join("postgres"), bin.join("initdb")))
    });
    found.map(|(postgres, initdb)| Postgres::Programs { postgres, initdb })
}

/// The versions that have a server, with the folder of its programs.
fn debian_versions(all: &Path) -> Vec<(u32, PathBuf)> {
    fs::read_dir(all)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            (bin.join("postgres").is_file() && bin.join("initdb").is_file()).then_some((version, bin))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_version_without_a_server_is_passed_over() {
        let all = std::env::temp_dir().join(format!("xtask-test-{}-pg", std::process::id()));
        for (version, programs) in
            [("9", &["postgres", "initdb"][..]), ("15", &["postgres", "initdb"]), ("17", &["psql"])]
        {
            let bin = all.join(version).join("bin");
            std::fs::create_dir_all(&bin).unwrap();
            programs.iter().for_each(|program| std::fs::write(bin.join(program), "").unwrap());
        }
        let mut versions: Vec<u32> =
            super::debian_versions(&all).into_iter().map(|(version, _)| version).collect();
        versions.sort_unstable();
        assert_eq!(versions, [9, 15]);
        std::fs::remove_dir_all(all).unwrap();
    }
}
