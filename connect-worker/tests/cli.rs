//! What the program does where no Kafka is needed: usage, files, health, signals.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connect-worker"));
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// A folder of this test alone, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("connect-worker-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A worker file whose Kafka is a port nobody listens on.
    fn worker(&self, more: &str) -> PathBuf {
        let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        self.file(
            "worker.properties",
            &format!(
                "bootstrap.servers={nobody}\n\
                 key.converter=org.apache.kafka.connect.storage.StringConverter\n\
                 value.converter=org.apache.kafka.connect.json.JsonConverter\n\
                 offset.storage.file.filename=/tmp/connect.offsets\n\
                 listeners=http://127.0.0.1:0\n{more}"
            ),
        )
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(arguments: &[&Path]) -> Output {
    program().arg("standalone").args(arguments).output().unwrap()
}

/// Exit code and the one line of standard error that is not a log line.
#[track_caller]
fn check_failure(output: &Output, code: i32, parts: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    let lines: Vec<&str> = stderr.lines().filter(|line| line.starts_with("connect-worker: ")).collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    for part in parts {
        assert!(lines[0].contains(part), "{part:?} is not in {:?}", lines[0]);
    }
}

#[test]
fn usage() {
    let usage = program().output().unwrap();
    assert_eq!(usage.status.code(), Some(1));
    let unknown = program().arg("distributed").output().unwrap();
    assert_eq!(unknown.status.code(), Some(1));
    let no_file = program().arg("standalone").output().unwrap();
    assert_eq!(no_file.status.code(), Some(1));
    let help = program().arg("--help").output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("standalone"));
    let version = program().arg("--version").output().unwrap();
    assert_eq!(version.status.code(), Some(0));
    assert!(
        String::from_utf8_lossy(&version.stdout)
            .starts_with(concat!("connect-worker ", env!("CARGO_PKG_VERSION")))
    );
}

#[test]
fn worker_files_that_cannot_be_used() {
    let folder = Folder::new("worker-files");
    let absent = folder.0.join("absent.properties");
    check_failure(&run(&[&absent]), 2, &["absent.properties", "cannot read"]);

    let broken = folder.file("broken.properties", "a=1\nb=\\u12\n");
    check_failure(&run(&[&broken]), 2, &["broken.properties", "line 2", "value of b"]);

    let empty = folder.file("empty.properties", "");
    check_failure(&run(&[&empty]), 2, &["empty.properties", "\"bootstrap.servers\"", "\"key.converter\""]);

    let slip = folder.worker("value.converter=org.apache.kafka.connect.json.json.JsonConverter\n");
    check_failure(
        &run(&[&slip]),
        2,
        &["value.converter", "did you mean org.apache.kafka.connect.json.JsonConverter?"],
    );

    let comment = folder.worker("offset.flush.interval.ms=10000 # often\n");
    check_failure(&run(&[&comment]), 2, &["offset.flush.interval.ms", "a comment needs a line of its own"]);
}

#[test]
fn a_taken_port_is_named() {
    let folder = Folder::new("taken-port");
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let worker = folder.worker(&format!("listeners=http://{address}\n"));
    check_failure(&run(&[&worker]), 2, &[&address.to_string(), "name another port in listeners"]);
}

#[test]
fn connector_files_that_cannot_be_read() {
    let folder = Folder::new("connector-files");
    let worker = folder.worker("");
    let absent = folder.0.join("absent.json");
    check_failure(&run(&[&worker, &absent]), 3, &["absent.json", "cannot be read"]);
    let broken = folder.file("broken.json", "{\"name\": \"a\",");
    check_failure(&run(&[&worker, &broken]), 3, &["broken.json", "not valid JSON"]);
    let nameless = folder.file("nameless.properties", "topics=a\n");
    check_failure(&run(&[&worker, &nameless]), 3, &["nameless.properties", "\"name\""]);
}

/// A worker that runs; its log is read for the address.
struct Worker {
    child: Child,
    address: SocketAddr,
    log: mpsc::Receiver<String>,
    /// What was read of the log so far.
    lines: Vec<String>,
}

impl Worker {
    fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, log) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut worker = Self { child, address: SocketAddr::from(([0, 0, 0, 0], 0)), log, lines: Vec::new() };
        let line = worker.wait_for_line("address=");
        let at = line.find("address=").unwrap() + "address=".len();
        worker.address = line[at..].split(' ').next().unwrap().parse().unwrap();
        worker
    }

    fn wait_for_line(&mut self, part: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.log.recv_timeout(left) else { panic!("no {part:?} in {:#?}", self.lines) };
            self.lines.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    fn request(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(stream, "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signal(&mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the worker still runs 10 s after {signal}");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn without_kafka_the_worker_says_what_it_waits_for_and_can_be_stopped() {
    let folder = Folder::new("no-kafka");
    let mut command = program();
    command.arg("standalone").arg(folder.worker("plugin.path=\\D:\\\\Work\\\\lib\nmy.secret=geheim\n"));
    let mut worker = Worker::start(command);

    let health = worker.request("GET /health");
    assert!(health.starts_with("HTTP/1.1 503 "), "{health}");
    assert!(
        health.contains(r#""status":"starting""#) && health.contains("Worker is still starting up. "),
        "{health}"
    );

    let started = Instant::now();
    let info = worker.request("GET /");
    assert!(info.contains(r#"{"version":"4.3.0","commit":"connect-worker-"#), "{info}");
    assert!(info.contains(r#""kafka_cluster_id":null}"#), "{info}");
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());

    let plugins = worker.request("GET /connector-plugins");
    assert!(plugins.contains("io.confluent.connect.jdbc.JdbcSinkConnector"), "{plugins}");
    assert!(worker.request("GET /connectors").ends_with("[]"));
    assert!(worker.request("GET /nowhere").starts_with("HTTP/1.1 404 "));

    worker.wait_for_line("waiting for kafka");
    assert_eq!(worker.signal("-TERM"), Some(0));
    worker.wait_for_line("stopped");
    let log = worker.lines.join("\n");
    assert!(log.contains("plugin.path is ignored"), "{log}");
    assert!(log.contains("my.secret") && !log.contains("geheim"), "{log}");
}

#[test]
fn an_interrupt_ends_it_too_under_the_name_of_kafkas_script() {
    use std::os::unix::process::CommandExt;
    let folder = Folder::new("script-name");
    let mut command = program();
    command.arg0("/opt/kafka/bin/connect-standalone").arg(folder.worker(""));
    let mut worker = Worker::start(command);
    assert_eq!(worker.signal("-INT"), Some(0));
}
