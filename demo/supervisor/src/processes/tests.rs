use super::*;
use crate::plan::Ready;
use std::time::Instant;
use tokio::time::sleep;

fn plan(name: &'static str, script: &str) -> ChildPlan {
    ChildPlan {
        name,
        program: "sh",
        args: vec!["-c".into(), script.into()],
        env: Vec::new(),
        ready: Ready::Done,
        place: String::new(),
    }
}

/// Processes whose binaries are the system's, with logs in a directory of the test's own.
fn processes(test: &str) -> (Processes, Exits, PathBuf) {
    let dir = std::env::temp_dir().join(format!("demo-{test}-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let (processes, exits) = Processes::new("/bin".into(), dir.clone());
    (processes, exits, dir)
}

/// Waits until the script has come as far as to write `word` to its log.
async fn wrote(processes: &Processes, name: &str, word: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !tail(&processes.log_of(name)).contains(word) {
        assert!(Instant::now() < deadline, "{name} never wrote {word}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_exit_nobody_asked_for_is_reported_with_its_log() {
    let (mut processes, mut exits, dir) = processes("exit");
    processes.start(&plan("one", "echo out of paper; exit 3"), 0).unwrap();
    let exit = exits.next().await;
    assert_eq!((exit.name, exit.status.code()), ("one", Some(3)));
    assert!(tail(&exit.log).contains("out of paper"));
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_kill_is_not_reported_and_the_child_can_be_started_again() {
    let (mut processes, mut exits, dir) = processes("kill");
    let sleeper = plan("one", "echo up; exec sleep 60");
    for _ in 0..2 {
        processes.start(&sleeper, 0).unwrap();
        processes.kill("one").await.unwrap();
    }
    let reported = tokio::time::timeout(Duration::from_millis(300), exits.next()).await;
    assert!(reported.is_err(), "a kill that was asked for");
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn the_last_stage_stops_first_and_is_told_by_sigterm() {
    let (mut processes, _exits, dir) = processes("stop");
    let order = dir.join("order");
    for (stage, name) in ["one", "two"].into_iter().enumerate() {
        let script = format!(
            "trap 'echo {name} >> {}; exit 0' TERM; echo up; while :; do sleep 0.05; done",
            order.display()
        );
        processes.start(&plan(name, &script), stage).unwrap();
        wrote(&processes, name, "up").await;
    }
    processes.stop().await;
    assert_eq!(std::fs::read_to_string(&order).unwrap(), "two\none\n");
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_child_that_is_to_end_fails_with_its_log() {
    let (processes, _exits, dir) = processes("run");
    processes.run(&plan("fine", "true")).await.unwrap();
    let error = processes.run(&plan("migrate", "echo no such table; exit 1")).await.unwrap_err().to_string();
    assert!(error.contains("migrate failed") && error.contains("no such table"), "{error}");
    std::fs::remove_dir_all(dir).unwrap();
}
