//! Finds the engines, or installs them, or says what is missing. It starts nothing.

mod apt;
mod chromium;
mod debezium;
mod java;
mod kafka;
mod mariadb;
mod postgres;

pub(crate) use apt::{install, is_root};
pub(crate) use debezium::find_or_download as debezium_jdbc;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::sh::say;

/// What [`crate::engines`] starts, or is told to use as it is.
#[derive(Debug)]
pub(crate) struct Provisioned {
    /// A broker that runs already (`TESTKIT_KAFKA`); otherwise one is started from `kafka_libs`.
    pub(crate) kafka: Option<String>,
    /// Kafka's jars: the broker, its tools, the Connect worker.
    pub(crate) kafka_libs: PathBuf,
    pub(crate) mariadb: MariaDb,
    pub(crate) postgres: Postgres,
}

#[derive(Debug)]
pub(crate) enum MariaDb {
    /// A server that runs already (`TESTKIT_MARIADB`).
    Running(String),
    Programs {
        mariadbd: PathBuf,
        install_db: PathBuf,
    },
}

#[derive(Debug)]
pub(crate) enum Postgres {
    /// A server that runs already (`TESTKIT_POSTGRES`).
    Running(String),
    Programs {
        postgres: PathBuf,
        initdb: PathBuf,
    },
}

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let found = provision()?;
    match &found.kafka {
        Some(bootstrap) => say(format_args!("kafka: the broker at {bootstrap} (TESTKIT_KAFKA)")),
        None => say("kafka: will be started from the jars"),
    }
    say(format_args!("kafka jars: {}", found.kafka_libs.display()));
    match &found.mariadb {
        MariaDb::Running(_) => say("mariadb: the server in TESTKIT_MARIADB"),
        MariaDb::Programs { mariadbd, .. } => say(format_args!("mariadb: {}", mariadbd.display())),
    }
    match &found.postgres {
        Postgres::Running(_) => say("postgres: the server in TESTKIT_POSTGRES"),
        Postgres::Programs { postgres, .. } => say(format_args!("postgres: {}", postgres.display())),
    }
    say("chromium and chromedriver: on PATH");
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn provision() -> anyhow::Result<Provisioned> {
    // The databases first: when all are missing the failure comes before the long download.
    let mariadb = mariadb::find_or_install()?;
    let postgres = postgres::find_or_install()?;
    chromium::require()?;
    let (kafka, kafka_libs) = kafka()?;
    Ok(Provisioned { kafka, kafka_libs, mariadb, postgres })
}

/// What a broker and a Java worker need: the address of a broker that runs already, and the jars.
pub(crate) fn kafka() -> anyhow::Result<(Option<String>, PathBuf)> {
    java::require()?;
    Ok((variable("TESTKIT_KAFKA"), kafka::find_or_download()?))
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}
