//! A Kafka broker, a MariaDB and a PostgreSQL server for as long as a value lives.

mod child;
mod kafka;
mod mariadb;
mod ports;
mod postgres;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Context;

use crate::provision::{self, MariaDb, Postgres, Provisioned};
use crate::sh::{describe, human, say};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to run while the engines are up, after `--`
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let found = provision::provision()?;
    let engines = Engines::start(&found)?;
    let (program, rest) = args.command.split_first().context("no command given")?;
    let mut command = Command::new(program);
    command.args(rest).envs(engines.environment());
    let status = command.status().with_context(|| format!("cannot start {}", describe(&command)))?;
    drop(engines);
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// What runs. Dropping it stops what it started; see `child` for what happens when xtask itself is killed.
pub(crate) struct Engines {
    kafka: String,
    kafka_libs: PathBuf,
    mariadb: String,
    postgres: String,
    /// Where the programs of the databases are, for tests that start servers of their own.
    programs: Vec<(&'static str, PathBuf)>,
    started: Vec<child::Engine>,
    /// Data and logs of this run; the data goes, the logs stay.
    home: PathBuf,
}

impl Engines {
    /// Starts what does not run already, and returns when all answer.
    pub(crate) fn start(found: &Provisioned) -> anyhow::Result<Engines> {
        let started = Instant::now();
        let all = crate::paths::target()?.join("engines");
        remove_leftovers(&all);
        let home = all.join(std::process::id().to_string());
        let mut engines = Engines {
            kafka: String::new(),
            kafka_libs: found.kafka_libs.clone(),
            mariadb: String::new(),
            postgres: String::new(),
            programs: Vec::new(),
            started: Vec::new(),
            home,
        };
        // Kafka takes longest to come up, so it begins first and is awaited last.
        let kafka = match &found.kafka {
            Some(bootstrap) => {
                engines.kafka.clone_from(bootstrap);
                None
            }
            None => Some(kafka::start(&engines.home, &found.kafka_libs)?),
        };
        match &found.mariadb {
            MariaDb::Running(url) => engines.mariadb.clone_from(url),
            MariaDb::Programs { mariadbd, install_db } => {
                let (engine, url) = mariadb::start(&engines.home, mariadbd, install_db)?;
                engines.programs.push(("TESTKIT_MARIADBD", mariadbd.clone()));
                engines.programs.push(("TESTKIT_MARIADB_INSTALL_DB", install_db.clone()));
                engines.started.push(engine);
                engines.mariadb = url;
            }
        }
        match &found.postgres {
            Postgres::Running(url) => engines.postgres.clone_from(url),
            Postgres::Programs { postgres, initdb } => {
                let (engine, url) = postgres::start(&engines.home, postgres, initdb)?;
                engines.programs.push(("TESTKIT_POSTGRES_SERVER", postgres.clone()));
                engines.programs.push(("TESTKIT_INITDB", initdb.clone()));
                engines.started.push(engine);
                engines.postgres = url;
            }
        }
        if let Some((engine, bootstrap)) = kafka {
            let engine = kafka::wait(engine, &bootstrap)?;
            engines.started.push(engine);
            engines.kafka = bootstrap;
        }
        say(format_args!(
            "engines are up after {}: kafka {}, mariadb {}, postgres {}; logs in {}",
            human(started.elapsed()),
            engines.kafka,
            without_password(&engines.mariadb),
            without_password(&engines.postgres),
            engines.home.display()
        ));
        Ok(engines)
    }

    /// What the tests read; see crates/testkit.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![
            ("TESTKIT_KAFKA", self.kafka.clone()),
            ("TESTKIT_MARIADB", self.mariadb.clone()),
            ("TESTKIT_POSTGRES", self.postgres.clone()),
            ("TESTKIT_KAFKA_LIBS", self.kafka_libs.display().to_string()),
        ];
        environment.extend(self.programs.iter().map(|(name, path)| (*name, path.display().to_string())));
        environment
    }
}

impl Drop for Engines {
    fn drop(&mut self) {
        for engine in self.started.drain(..).rev() {
            engine.stop();
        }
        remove_data(&self.home);
    }
}

/// Only a Kafka broker, for as long as the value lives.
pub(crate) struct Broker {
    bootstrap: String,
    libs: PathBuf,
    started: Option<child::Engine>,
    home: PathBuf,
}

impl Broker {
    /// `running` is the address of a broker to use as it is.
    pub(crate) fn start(running: Option<String>, libs: PathBuf) -> anyhow::Result<Broker> {
        let all = crate::paths::target()?.join("engines");
        remove_leftovers(&all);
        let home = all.join(std::process::id().to_string());
        let (started, bootstrap) = match running {
            Some(bootstrap) => (None, bootstrap),
            None => {
                let (engine, bootstrap) = kafka::start(&home, &libs)?;
                (Some(kafka::wait(engine, &bootstrap)?), bootstrap)
            }
        };
        Ok(Broker { bootstrap, libs, started, home })
    }

    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        [("TESTKIT_KAFKA", self.bootstrap.clone()), ("TESTKIT_KAFKA_LIBS", self.libs.display().to_string())]
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(engine) = self.started.take() {
            engine.stop();
        }
        remove_data(&self.home);
    }
}

/// Data of runs whose xtask was killed. A run that lives keeps its own.
fn remove_leftovers(all: &Path) {
    for entry in fs::read_dir(all).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !Path::new("/proc").join(&name).exists() {
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

fn remove_data(home: &Path) {
    for data in ["kafka", "mariadb", "postgres"] {
        fs::remove_dir_all(home.join(data)).ok();
    }
}

/// The account in `TESTKIT_MARIADB` or `TESTKIT_POSTGRES` may be a real one.
fn without_password(url: &str) -> &str {
    url.rsplit_once('@').map_or(url, |(_, place)| place)
}
