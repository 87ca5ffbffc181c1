//! Engines of one test alone, which it may kill, freeze and start again.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use crate::engines::{MariaDb, Postgres, kafka_libs, variable};
use crate::{Process, free_port, kafka_client, unique};

const PASSWORD: &str = "test1357";

/// A server is up, or has said why not, within this time also on a busy machine.
const START: Duration = Duration::from_secs(120);

/// A server with data of its own. It is killed, and its data removed, when the value is dropped.
#[derive(Debug)]
pub struct OwnEngine {
    pub port: u16,
    pub process: Process,
    name: &'static str,
    server: Vec<String>,
    home: PathBuf,
}

/// A server needs a folder with a short path (sockets) that another account may enter (PostgreSQL).
fn home(name: &str) -> anyhow::Result<PathBuf> {
    let home = std::env::temp_dir().join(unique(&format!("own_{name}")));
    fs::create_dir_all(home.join("data")).with_context(|| format!("cannot create {}", home.display()))?;
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755))?;
    Ok(home)
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let text = [output.stdout, output.stderr].concat();
    ensure!(
        output.status.success(),
        "{:?} failed ({}): {}",
        command.get_program(),
        output.status,
        String::from_utf8_lossy(&text).trim()
    );
    Ok(())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

impl OwnEngine {
    /// A MariaDB server; `settings` are further options of the command line, such as `--innodb-lock-wait-timeout=1`. It is as durable as
    /// by default: what it has committed survives `kill -9`.
    pub async fn mariadb(settings: &[&str]) -> anyhow::Result<OwnEngine> {
        let mariadbd = variable("TESTKIT_MARIADBD", "the path of the program mariadbd")?;
        let install = variable("TESTKIT_MARIADB_INSTALL_DB", "the path of mariadb-install-db")?;
        let (home, port) = (home("mariadb")?, free_port());
        let data = format!("--datadir={}", home.join("data").display());
        let root: &[&str] = if is_root() { &["--user=root"] } else { &[] };
        run(Command::new(install)
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(&data)
            .args(root))?;
        let init = home.join("init.sql");
        fs::write(
            &init,
            format!(
                "CREATE OR REPLACE USER 'root'@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n\
                 GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;\n"
            ),
        )?;
        let mut server: Vec<String> = [
            &mariadbd,
            "--no-defaults",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            "--innodb-buffer-pool-size=64M",
        ]
        .map(str::to_owned)
        .into();
        server.extend([
            data,
            format!("--port={port}"),
            format!("--socket={}", home.join("sock").display()),
            format!("--pid-file={}", home.join("pid").display()),
            format!("--init-file={}", init.display()),
        ]);
        server.extend(root.iter().chain(settings).map(|setting| (*setting).to_owned()));
        Self::start("mariadb", server, home, port).await
    }

    /// A PostgreSQL server; `settings` are `name=value`. It is as durable as by default.
    pub async fn postgres(settings: &[&str]) -> anyhow::Result<OwnEngine> {
        let postgres = variable("TESTKIT_POSTGRES_SERVER", "the path of the program postgres")?;
        let initdb = variable("TESTKIT_INITDB", "the path of initdb")?;
        let (home, port) = (home("postgres")?, free_port());
        let data = home.join("data");
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700))?;
        let secret = home.join("password");
        fs::write(&secret, PASSWORD)?;
        let account = account()?;
        if let Some((uid, gid)) = account {
            chown(&data, Some(uid), Some(gid)).context("cannot give away the data folder")?;
        }
        let command = |program: &str| -> Vec<String> {
            let mut words = Vec::new();
            if let Some((uid, gid)) = account {
                words = ["setpriv", &format!("--reuid={uid}"), &format!("--regid={gid}"), "--clear-groups"]
                    .map(str::to_owned)
                    .into();
            }
            words.push(program.to_owned());
            words
        };
        let install = command(&initdb);
        run(Command::new(&install[0])
            .args(&install[1..])
            .args([
                "--username=postgres",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ])
            .arg(format!("--pwfile={}", secret.display()))
            .arg(format!("--pgdata={}", data.display())))?;
        let mut server = command(&postgres);
        server.extend(["-D".into(), data.display().to_string(), "-p".into(), port.to_string()]);
        let own = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "shared_buffers=64MB"];
        for setting in own.iter().chain(settings) {
            server.extend(["-c".to_owned(), (*setting).to_owned()]);
        }
        Self::start("postgres", server, home, port).await
    }

    /// A Kafka broker that is its own controller.
    pub async fn kafka() -> anyhow::Result<OwnEngine> {
        let (home, port, controller) = (home("kafka")?, free_port(), free_port());
        let properties = home.join("kafka.properties");
        let data = home.join("data");
        fs::write(
            &properties,
            format!(
                "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
                 controller.listener.names=CONTROLLER\n\
                 listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
                 advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
                 listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\nlog.dirs={}\n\
                 offsets.topic.replication.factor=1\noffsets.topic.num.partitions=4\n\
                 transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
                 transaction.state.log.num.partitions=4\ngroup.initial.rebalance.delay.ms=0\n",
                data.display()
            ),
        )?;
        let libs = kafka_libs()?.join("*").display().to_string();
        let java = |heap: &str| -> Vec<String> { ["java", heap, "-cp", &libs].map(str::to_owned).into() };
        let format = java("-Xmx128m");
        run(Command::new(&format[0])
            .args(&format[1..])
            .args(["kafka.tools.StorageTool", "format", "-t", "c3RhbmRhbG9uZXRlc3RrYQ", "-c"])
            .arg(&properties))?;
        let mut server = java("-Xmx384m");
        server.extend(["kafka.Kafka".to_owned(), properties.display().to_string()]);
        Self::start("kafka", server, home, port).await
    }

    async fn start(
        name: &'static str,
        server: Vec<String>,
        home: PathBuf,
        port: u16,
    ) -> anyhow::Result<OwnEngine> {
        let process = spawn(name, &server);
        let mut engine = OwnEngine { port, process, name, server, home };
        engine.is_up().await;
        Ok(engine)
    }

    /// The same command on the same data and port, as systemd would after a crash.
    pub async fn start_again(&mut self) {
        self.process.kill9();
        self.process = spawn(self.name, &self.server);
        self.is_up().await;
    }

    /// Waits until clients are served. A server that ended meanwhile is started again: PostgreSQL refuses to while a child of a killed
    /// one is still about.
    async fn is_up(&mut self) {
        let deadline = Instant::now() + START;
        loop {
            if !self.process.is_running() {
                self.process = spawn(self.name, &self.server);
            }
            match self.serves().await {
                Ok(()) => return,
                Err(error) if Instant::now() > deadline => {
                    panic!("{} on port {} does not serve: {error:#}", self.name, self.port)
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }

    async fn serves(&self) -> anyhow::Result<()> {
        match self.name {
            "mariadb" => crate::database::ping(&self.mariadb_server().url_root).await,
            "postgres" => crate::pg_database::ping(&self.postgres_server()).await,
            "kafka" => kafka_client::topic_exists(&self.bootstrap(), "any").await.map(drop),
            other => bail!("no engine {other}"),
        }
    }

    pub fn mariadb_server(&self) -> MariaDb {
        MariaDb {
            url_root: format!("mysql://root:{PASSWORD}@127.0.0.1:{}", self.port),
            host: "127.0.0.1".into(),
            port: self.port,
            user: "root".into(),
            password: PASSWORD.into(),
        }
    }

    pub fn postgres_server(&self) -> Postgres {
        Postgres {
            url_root: format!("postgres://postgres:{PASSWORD}@127.0.0.1:{}", self.port),
            host: "127.0.0.1".into(),
            port: self.port,
            user: "postgres".into(),
            password: PASSWORD.into(),
        }
    }

    /// `host:port` of a broker.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn home(&self) -> &Path {
        &self.home
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        self.process.kill9();
        let _ = fs::remove_dir_all(&self.home);
    }
}

fn spawn(name: &str, server: &[String]) -> Process {
    Process::spawn(name, Command::new(&server[0]).args(&server[1..]))
}

/// Who PostgreSQL runs as where we are root, since it refuses to run as root.
fn account() -> anyhow::Result<Option<(u32, u32)>> {
    if !is_root() {
        return Ok(None);
    }
    let id = |flag: &str| {
        let output = Command::new("id").args([flag, "postgres"]).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse::<u32>().ok()
    };
    const NOBODY: u32 = 65_534;
    Ok(Some(id("-u").zip(id("-g")).unwrap_or((NOBODY, NOBODY))))
}
