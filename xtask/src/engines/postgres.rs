//! One PostgreSQL server with data of its own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail, ensure};

use super::child::Engine;
use super::ports;
use crate::paths::which;
use crate::provision::is_root;

/// The account of the tests. The server listens on 127.0.0.1 alone.
const PASSWORD: &str = "test1357";

/// Starts the server and returns it when it answers, with `postgres://user:password@host:port`.
pub(super) fn start(home: &Path, postgres: &Path, initdb: &Path) -> anyhow::Result<(Engine, String)> {
    let (port, _) = ports::two()?;
    let data = home.join("postgres");
    fs::create_dir_all(&data).with_context(|| format!("cannot create {}", data.display()))?;
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).context("cannot close the data folder")?;
    let secret = home.join("postgres.password");
    fs::write(&secret, PASSWORD).context("cannot write postgres.password")?;
    let account = if is_root() { Some(Account::find(home)?) } else { None };
    if let Some(Account { uid, gid, .. }) = account {
        for path in [&data, &secret] {
            chown(path, Some(uid), Some(gid))
                .with_context(|| format!("cannot give away {}", path.display()))?;
        }
    }
    let command = |program: &Path| match &account {
        Some(account) => account.command(program),
        None => Command::new(program),
    };

    let mut install = command(initdb);
    install
        .args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
        .arg(format!("--pwfile={}", secret.display()))
        .arg(format!("--pgdata={}", data.display()));
    let output = install.output().with_context(|| format!("cannot start {}", initdb.display()))?;
    if !output.status.success() {
        let text = [output.stdout, output.stderr].concat();
        bail!("initdb failed ({}): {}", output.status, String::from_utf8_lossy(&text).trim());
    }
    let mut server = command(postgres);
    server.arg("-D").arg(&data).arg("-p").arg(port.to_string());
    for setting in [
        "listen_addresses=127.0.0.1",
        // A socket's path may have 107 bytes, less than a checkout may lie deep; nobody needs it.
        "unix_socket_directories=",
        "max_connections=200",
        "shared_buffers=64MB",
        // The data does not outlive the server.
        "fsync=off",
        "full_page_writes=off",
    ] {
        server.args(["-c", setting]);
    }
    // A fast shutdown: a polite one waits for clients.
    let engine = Engine::spawn("postgres", "INT", home, &server)?;
    // It asks for a password only when it accepts connections; before that it answers with an error.
    let engine = engine.wait_until(port, &start_up(), |answer| answer.first() == Some(&b'R'))?;
    Ok((engine, format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}")))
}

/// Who the server runs as where we are root, since it refuses to run as root.
struct Account {
    uid: u32,
    gid: u32,
    /// Whether the account cannot enter the folders above the data, as in a checkout below /root.
    locked_out: bool,
}

impl Account {
    fn find(home: &Path) -> anyhow::Result<Account> {
        ensure!(
            which("setpriv").is_some(),
            "PostgreSQL does not run as root, and setpriv (util-linux) is not there to start it as somebody else: install \
             it, run as another user, or set TESTKIT_POSTGRES"
        );
        const NOBODY: u32 = 65_534;
        let id = |flag: &str| {
            let output = Command::new("id").args([flag, "postgres"]).output().ok()?;
            String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
        };
        let (uid, gid) = id("-u").zip(id("-g")).unwrap_or((NOBODY, NOBODY));
        let mut account = Account { uid, gid, locked_out: false };
        let entered = account.command(Path::new("test")).arg("-x").arg(home).status();
        account.locked_out = !entered.context("cannot start setpriv")?.success();
        Ok(account)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args([format!("--reuid={}", self.uid), format!("--regid={}", self.gid)])
            .arg("--clear-groups");
        if self.locked_out {
            command.args(["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]);
        }
        command.arg(program);
        command
    }
}

/// The first message of a connection: length, protocol 3.0, who and where.
fn start_up() -> Vec<u8> {
    let mut message = vec![0, 0, 0, 0, 0, 3, 0, 0];
    message.extend(b"user\0postgres\0database\0postgres\0\0");
    message[3] = u8::try_from(message.len()).unwrap_or_default();
    message
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_first_message_says_its_length() {
        let message = super::start_up();
        assert_eq!((message.len(), message[3], message.last()), (41, 41, Some(&0)));
    }
}
