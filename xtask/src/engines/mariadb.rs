//! One MariaDB server with data of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use super::child::Engine;
use super::ports;
use crate::provision::is_root;

/// The account of the walkthroughs. The server listens on 127.0.0.1 alone.
const PASSWORD: &str = "test1357";

/// Starts the server and returns it when it answers, with `mysql://user:password@host:port`.
pub(super) fn start(home: &Path, mariadbd: &Path, install_db: &Path) -> anyhow::Result<(Engine, String)> {
    let (port, _) = ports::two()?;
    let data = home.join("mariadb");
    fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
    let mut install = Command::new(install_db);
    install.arg("--no-defaults").args(["--auth-root-authentication-method=normal", "--skip-test-db"]);
    install.arg(format!("--datadir={}", data.display()));
    let mut server = Command::new(mariadbd);
    let init = home.join("mariadb.sql");
    fs::write(&init, accounts()).context("cannot write mariadb.sql")?;
    // A socket's path may have 107 bytes, less than a checkout may lie deep.
    let socket = std::env::temp_dir().join(format!("xtask-mariadb-{port}.sock"));
    // The machine's my.cnf is not read. What Debian's would set and clients rely on is utf8mb4.
    server
        .args([
            "--no-defaults",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
        ])
        .args(["--max-connections=500", "--innodb-buffer-pool-size=128M"])
        .arg(format!("--datadir={}", data.display()))
        .arg(format!("--port={port}"))
        .arg(format!("--socket={}", socket.display()))
        .arg(format!("--pid-file={}", home.join("mariadb.pid").display()))
        .arg(format!("--init-file={}", init.display()));
    if is_root() {
        install.arg("--user=root");
        server.arg("--user=root"); // it refuses to run as root unless told so
    }
    let output = install.output().with_context(|| format!("cannot start {}", install_db.display()))?;
    if !output.status.success() {
        let text = [output.stdout, output.stderr].concat();
        bail!("mariadb-install-db failed ({}): {}", output.status, String::from_utf8_lossy(&text).trim());
    }
    let engine = Engine::spawn("mariadb", "TERM", home, &server)?;
    // The server speaks first: three bytes of length, a number, and protocol version 10; an error packet begins with 0xff.
    let engine = engine.wait_until(port, b"", |answer| answer.get(4) == Some(&10))?;
    Ok((engine, format!("mysql://root:{PASSWORD}@127.0.0.1:{port}")))
}

/// Run before the first connection is accepted. Without name resolution a TCP client is `127.0.0.1`, never `localhost`.
fn accounts() -> String {
    format!(
        "CREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n\
         GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n\
         ALTER USER 'root'@'localhost' IDENTIFIED BY '{PASSWORD}';\n"
    )
}
