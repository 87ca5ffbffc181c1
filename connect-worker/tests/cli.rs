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
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CONNECT_")) {
        command.env_remove(name);
    }
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

    /// A file for a worker of a cluster, whose Kafka is a port nobody listens on.
    fn cluster_worker(&self, more: &str) -> PathBuf {
        let nobody = nobody();
        self.file(
            "connect-distributed.properties",
            &format!(
                "bootstrap.servers={nobody}\n\
             group.id=connect-cluster\n\
             key.converter=org.apache.kafka.connect.json.JsonConverter\n\
             value.converter=org.apache.kafka.connect.json.JsonConverter\n\
             offset.storage.topic=connect-offsets\n\
             config.storage.topic=connect-configs\n\
             status.storage.topic=connect-status\n\
             listeners=http://127.0.0.1:0\n{more}"
            ),
        )
    }

    /// A worker file whose Kafka is a port nobody listens on.
    fn worker(&self, more: &str) -> PathBuf {
        let nobody = nobody();
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

fn nobody() -> SocketAddr {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap()
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
    let unknown = program().arg("mirrored").output().unwrap();
    assert_eq!(unknown.status.code(), Some(1));
    let nothing = program().arg("distributed").output().unwrap();
    check_failure(&nothing, 1, &["name the worker's file", "CONNECT_GROUP_ID"]);
    let daemon = program().args(["distributed", "-daemon", "w.properties"]).output().unwrap();
    assert_eq!(daemon.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&daemon.stderr).contains("-daemon of Kafka's scripts is not needed"));
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
fn files_of_a_cluster_worker_that_cannot_be_used() {
    let folder = Folder::new("cluster-worker-files");
    let run = |path: PathBuf| program().arg("distributed").arg(path).output().unwrap();
    let empty = run(folder.file("empty.properties", ""));
    check_failure(&empty, 2, &["empty.properties", "\"group.id\"", "\"status.storage.topic\""]);
    let heartbeat = run(folder.cluster_worker("heartbeat.interval.ms=10000\n"));
    check_failure(&heartbeat, 2, &["heartbeat.interval.ms", "lower than session.timeout.ms"]);
    let security = run(folder.cluster_worker("security.protocol=SASL_SSL\n"));
    check_failure(&security, 2, &["security.protocol", "cannot do TLS or SASL"]);
    let exactly = run(folder.cluster_worker("exactly.once.source.support=enabled\n"));
    check_failure(&exactly, 2, &["exactly.once.source.support", "remove the key"]);
    let rules = run(folder.cluster_worker("response.http.headers.config=nonsense\n"));
    check_failure(&rules, 2, &["response.http.headers.config", "nonsense"]);
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
        self.request_with(request, "")
    }

    fn request_with(&self, request: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let length = body.len();
        write!(
            stream,
            "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
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
    assert!(log.contains("plugin.path has no effect"), "{log}");
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

#[test]
fn a_cluster_worker_waits_for_kafka_and_can_be_stopped() {
    use std::os::unix::process::CommandExt;
    let folder = Folder::new("cluster-no-kafka");
    let mut command = program();
    command.arg0("/opt/kafka/bin/connect-distributed.sh").arg(folder.cluster_worker(""));
    let mut worker = Worker::start(command);
    let health = worker.request("GET /health");
    assert!(
        health.starts_with("HTTP/1.1 503 ") && health.contains("Worker is still starting up. "),
        "{health}"
    );
    assert!(worker.request("GET /connectors").ends_with("[]"));
    worker.wait_for_line("waiting for kafka");
    let health = worker.request("GET /health");
    assert!(health.contains("It waits for Kafka at "), "{health}");
    assert_eq!(worker.signal("-TERM"), Some(0));
    worker.wait_for_line("stopped");
}

#[test]
fn the_environment_is_enough() {
    let mut command = program();
    for (name, value) in [
        ("CONNECT_BOOTSTRAP_SERVERS", &*nobody().to_string()),
        ("CONNECT_GROUP_ID", "connect-cluster"),
        ("CONNECT_KEY_CONVERTER", "org.apache.kafka.connect.json.JsonConverter"),
        ("CONNECT_VALUE_CONVERTER", "org.apache.kafka.connect.json.JsonConverter"),
        ("CONNECT_OFFSET_STORAGE_TOPIC", "connect-offsets"),
        ("CONNECT_CONFIG_STORAGE_TOPIC", "connect-configs"),
        ("CONNECT_STATUS_STORAGE_TOPIC", "connect-status"),
        ("CONNECT_LISTENERS", "http://127.0.0.1:0"),
        ("CONNECT_PRODUCER_CLIENT_ID", "geheim"),
        ("CONNECT_LOG4J_LOGGERS", "org.apache.kafka.connect.runtime.rest=WARN,org.reflections=ERROR"),
    ] {
        command.env(name, value);
    }
    command.arg("distributed");
    let mut worker = Worker::start(command);
    let rest = worker.request("GET /admin/loggers/connect_rest");
    assert!(rest.contains(r#"{"level":"WARN""#), "{rest}");
    assert_eq!(worker.signal("-TERM"), Some(0));
    worker.wait_for_line("stopped");
    let log = worker.lines.join("\n");
    assert!(log.contains("CONNECT_PRODUCER_CLIENT_ID") && !log.contains("geheim"), "{log}");
    assert!(log.contains("this worker has no logger org.reflections"), "{log}");
}

#[test]
fn log_levels_change_while_it_runs() {
    let folder = Folder::new("log-levels");
    let mut command = program();
    command.arg("standalone").arg(folder.worker(""));
    let mut worker = Worker::start(command);
    worker.request("GET /connectors");
    worker.wait_for_line("path=\"/connectors\"");
    let logger = "org.apache.kafka.connect.runtime.rest";
    let changed = worker.request_with(&format!("PUT /admin/loggers/{logger}"), r#"{"level":"warn"}"#);
    assert!(changed.ends_with(&format!("[\"{logger}\"]")), "{changed}");
    let again = worker.request_with(&format!("PUT /admin/loggers/{logger}"), r#"{"level":"WARN"}"#);
    assert!(again.ends_with("[]"), "{again}");
    worker.request("GET /connector-plugins");
    assert_eq!(worker.signal("-TERM"), Some(0));
    worker.wait_for_line("stopped");
    let log = worker.lines.join("\n");
    assert!(!log.contains("/connector-plugins"), "{log}");
}

/// A cluster that knows one connector and asks for a password.
fn cluster(config: &'static str) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap().to_lowercase();
            // operator:geheim
            let (status, body) = if !head.contains("authorization: basic b3blcmf0b3i6z2vozwlt") {
                ("401 Unauthorized", String::new())
            } else if head.starts_with("get / ") {
                ("200 OK", r#"{"version":"4.3.0","commit":"x","kafka_cluster_id":"y"}"#.to_owned())
            } else if head.starts_with("get /connectors?expand=info ") {
                (
                    "200 OK",
                    format!(r#"{{"orders":{{"info":{{"name":"orders","config":{config},"tasks":[]}}}}}}"#),
                )
            } else {
                ("404 Not Found", String::new())
            };
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    address
}

#[test]
fn a_check_of_a_worker_file_changes_nothing_and_says_what_would_not_work() {
    let folder = Folder::new("check-file");
    let check = |path: &Path, more: &[&str]| program().arg("check").arg(path).args(more).output().unwrap();
    let fine = check(&folder.cluster_worker(""), &[]);
    assert_eq!(fine.status.code(), Some(0), "{fine:?}");
    assert!(String::from_utf8_lossy(&fine.stdout).contains("Everything would work here."));
    assert_eq!(fine.stderr, b"");

    let refused =
        check(&folder.cluster_worker("security.protocol=SSL\nssl.key.password=geheim\n"), &["--json"]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let report: serde_json::Value = serde_json::from_slice(&refused.stdout).unwrap();
    assert_eq!(report["works"], false);
    assert_eq!(report["worker"]["findings"][0]["key"], "security.protocol");
    assert!(!String::from_utf8_lossy(&refused.stdout).contains("geheim"));

    let absent = check(&folder.0.join("absent.properties"), &[]);
    check_failure(&absent, 1, &["absent.properties"]);
    let nobody = format!("http://{}", nobody());
    let unreachable = check(&folder.cluster_worker(""), &["--connect", &nobody]);
    check_failure(&unreachable, 1, &[&nobody]);
}

#[test]
fn a_check_of_a_cluster_looks_at_its_connectors() {
    let folder = Folder::new("check-cluster");
    let worker = folder.cluster_worker("");
    let check = |url: String| program().arg("check").arg(&worker).args(["--connect", &url]).output().unwrap();
    let address = cluster(
        r#"{"name":"orders","connector.class":"FileStreamSink","topics":"orders","file":"/tmp/orders.txt"}"#,
    );
    let fine = check(format!("http://operator:geheim@{address}/"));
    let text = String::from_utf8_lossy(&fine.stdout).into_owned();
    assert_eq!(fine.status.code(), Some(0), "{fine:?}");
    assert!(text.contains("(Kafka Connect 4.3.0, 1 connector)") && !text.contains("geheim"), "{text}");
    assert!(text.contains("orders (FileStreamSink): works"), "{text}");
    check_failure(&check(format!("http://{address}")), 1, &["401", "put user and password into the URL"]);

    let address = cluster(
        r#"{"name":"orders","connector.class":"io.debezium.connector.mysql.MySqlConnector","database.password":"geheim"}"#,
    );
    let refused = check(format!("http://operator:geheim@{address}"));
    let text = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(text.contains("would not work") && !text.contains("geheim"), "{text}");
}
