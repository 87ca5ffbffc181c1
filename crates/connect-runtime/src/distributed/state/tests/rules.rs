//! Single rules, each as what happens and what follows.

use super::rig::{ME, OTHER, Rig, connector, key_record, metadata, show, tasks};
use super::*;
use crate::group::AssignmentError;
use crate::herder::{RestartRequest, State as RunState, TargetState, TaskId};
use crate::signature::RequestSignature;
use crate::store::config_records;
use crate::worker::{RunStatus, WorkerEvent};
use crate::worker_config::AutoRestart;
use bytes::Bytes;
use expect_test::{Expect, expect};

#[track_caller]
fn check(effects: Vec<Effect>, expected: Expect) {
    expected.assert_eq(&show(&effects));
}

fn failed() -> RunStatus {
    RunStatus::Failed { trace: "no luck".into() }
}

// ---- the config topic

#[test]
fn a_new_or_removed_connector_asks_for_a_rebalance_once() {
    let mut rig = Rig::member(false);
    check(rig.read(connector("a")), expect!["RequestRejoin"]);
    check(rig.read(connector("b")), expect![""]);
    rig.join(false, &["a"], &[]);
    check(
        rig.read(config_records::remove_connector("a")),
        expect![
            "RequestRejoin
stop a run 1"
        ],
    );
}

#[test]
fn a_changed_connector_restarts_in_place() {
    let mut rig = Rig::at_work(false);
    check(rig.read(connector("a")), expect!["stop a run 1"]);
    check(
        rig.stopped("a", 1),
        expect![[r#"
        status a UNASSIGNED of 2
        start a Started run 4"#]],
    );
}

#[test]
fn changed_tasks_stop_before_the_rebalance_and_start_after_it() {
    let mut rig = Rig::at_work(false);
    check(
        rig.read(tasks("a", 2)),
        expect![
            "RequestRejoin
stop a-0 run 2
stop a-1 run 3"
        ],
    );
    check(rig.step(Event::Joining { session: 1 }), expect![""]);
    check(rig.stopped("a-0", 2), expect!["status a-0 UNASSIGNED of 2"]);
    check(
        rig.stopped("a-1", 3),
        expect![
            "status a-1 UNASSIGNED of 2
FlushStatuses"
        ],
    );
    check(rig.step(Event::Flushed), expect!["offer sessioned,compatible,default at 8 with a a-0 a-1"]);
    let assignment = rig.assignment(false, &[], &[]);
    check(
        rig.joined(&assignment),
        expect![[r#"
        start a-0 Started run 4
        start a-1 Started run 5"#]],
    );
}

#[test]
fn tasks_rest_until_an_assignment_knows_of_their_change() {
    let mut rig = Rig::at_work(false);
    rig.step(Event::Joining { session: 1 });
    let before = rig.assignment(false, &[], &[]);
    rig.read(tasks("a", 1));
    rig.stopped("a-0", 2);
    rig.stopped("a-1", 3);
    check(rig.joined(&before), expect!["RequestRejoin"]);
    check(rig.join(false, &[], &[]), expect!["start a-0 Started run 4"]);
}

#[test]
fn target_states_change_in_place() {
    let mut rig = Rig::at_work(false);
    let paused = vec![config_records::target_state("a", TargetState::Paused)];
    check(rig.read(paused.clone()), expect!["set a Paused"]);
    check(rig.read(paused), expect![""]);
    check(rig.runs("a", 1, RunStatus::Paused), expect!["status a PAUSED of 2"]);
    check(rig.read(vec![config_records::target_state("b", TargetState::Paused)]), expect![""]);
}

#[test]
fn restart_requests_concern_what_runs_here_and_are_shown() {
    let mut rig = Rig::at_work(false);
    rig.runs("a-1", 3, failed());
    let restart = |include_tasks, only_failed| {
        vec![config_records::restart("a", RestartRequest { include_tasks, only_failed })]
    };
    check(rig.read(restart(false, true)), expect![""]);
    check(rig.read(restart(true, true)), expect!["stop a-1 run 3"]);
    check(
        rig.stopped("a-1", 3),
        expect![
            "status a-1 RESTARTING of 2
start a-1 Started run 4"
        ],
    );
    check(
        rig.read(restart(true, false)),
        expect![
            "stop a run 1
stop a-0 run 2
stop a-1 run 4"
        ],
    );
}

#[test]
fn what_was_asked_for_before_the_start_is_not_done_again() {
    let mut state = State::new(settings(0, Protocol::Sessioned));
    let now = Rig::member(false).now;
    let records = [
        config_records::logger_level("root", "DEBUG"),
        config_records::restart("a", RestartRequest { include_tasks: true, only_failed: false }),
    ];
    for (offset, record) in records.iter().enumerate() {
        assert_eq!(state.step(Event::ConfigRecord(entry(offset, record)), now), []);
    }
    let mut rig = Rig::member(false);
    check(
        rig.read(vec![config_records::logger_level("root", "DEBUG")]),
        expect![[r#"SetLogLevel { logger: "root", level: "DEBUG" }"#]],
    );
}

// ---- assignments

#[test]
fn an_assignment_is_added_to_what_is_held() {
    let mut rig = Rig::at_work(false);
    rig.read([connector("b"), connector("c")].concat());
    check(
        rig.join(false, &["b"], &["a-1"]),
        expect![[r#"
        stop a-1 run 3
        start b Started run 4"#]],
    );
    check(
        rig.stopped("a-1", 3),
        expect![
            "status a-1 UNASSIGNED of 3
FlushStatuses"
        ],
    );
    // What was revoked is free from here on.
    check(rig.step(Event::Flushed), expect!["RequestRejoin"]);
    check(
        rig.step(Event::Joining { session: 1 }),
        expect!["offer sessioned,compatible,default at 7 with a b a-0"],
    );
}

#[test]
fn in_the_eager_protocol_everything_stops_before_a_rebalance() {
    let mut rig = Rig::new(settings(0, Protocol::Eager));
    rig.read([connector("a"), tasks("a", 1)].concat());
    rig.join(false, &["a", "a-0"], &[]);
    check(
        rig.step(Event::Joining { session: 1 }),
        expect![[r#"
        stop a run 1
        stop a-0 run 2"#]],
    );
    rig.stopped("a-0", 2);
    check(
        rig.stopped("a", 1),
        expect![
            "status a UNASSIGNED of 1
FlushStatuses"
        ],
    );
    check(rig.step(Event::Flushed), expect!["offer default at 3 with nothing yet"]);
    let assignment = rig.assignment(false, &["a"], &[]);
    check(rig.joined(&assignment), expect!["start a Started run 3"]);
}

#[test]
fn a_delay_ends_in_a_rebalance() {
    let mut rig = Rig::member(false);
    rig.step(Event::Joining { session: 1 });
    let mut assignment = rig.assignment(false, &[], &[]);
    assignment.delay_ms = 5000;
    check(rig.joined(&assignment), expect![""]);
    check(rig.pass(Duration::from_millis(4999)), expect![""]);
    check(rig.pass(Duration::from_millis(1)), expect!["RequestRejoin"]);
}

#[test]
fn a_worker_that_is_behind_reads_before_it_starts() {
    let mut rig = Rig::member(false);
    rig.step(Event::Joining { session: 1 });
    let mut assignment = rig.assignment(false, &["a"], &[]);
    assignment.config_offset += 1;
    check(rig.joined(&assignment), expect!["read Resolve { round: 2 } within 3s"]);
    check(rig.read(connector("a")), expect![""]);
    let read = Read::Resolve { round: 2 };
    check(rig.step(Event::ConfigRead { read, in_time: true }), expect!["start a Started run 1"]);
}

#[test]
fn a_worker_that_cannot_keep_up_stops_leaves_and_comes_back() {
    let mut rig = Rig::at_work(false);
    rig.step(Event::Joining { session: 1 });
    let mut assignment = rig.assignment(false, &[], &[]);
    assignment.config_offset += 1;
    rig.joined(&assignment);
    let read = Read::Resolve { round: 3 };
    check(
        rig.step(Event::ConfigRead { read, in_time: false }),
        expect![[r#"
        stop a run 1
        stop a-0 run 2
        stop a-1 run 3"#]],
    );
    check(rig.step(Event::Joining { session: 1 }), expect![""]);
    for (text, run) in [("a", 1), ("a-0", 2), ("a-1", 3)] {
        rig.stopped(text, run);
    }
    check(rig.step(Event::Flushed), expect!["Leave"]);
    check(rig.step(Event::Left), expect![""]);
    // A fifth of a tenth of the time others wait for it, then more.
    let late = Event::ConfigRead { read: Read::CatchUp, in_time: false };
    check(rig.pass(Duration::from_millis(200)), expect!["read CatchUp within 3s"]);
    check(rig.step(late), expect![""]);
    check(rig.pass(Duration::from_millis(200)), expect![""]);
    check(rig.pass(Duration::from_millis(50)), expect!["read CatchUp within 3s"]);
    check(rig.step(Event::ConfigRead { read: Read::CatchUp, in_time: true }), expect!["Join { session: 2 }"]);
    check(rig.step(Event::Joining { session: 1 }), expect![""]);
    check(
        rig.step(Event::Joining { session: 2 }),
        expect!["offer sessioned,compatible,default at 5 with nothing yet"],
    );
}

#[test]
fn a_mismatch_makes_all_join_again_and_the_leader_read_before() {
    for (leads, expected) in [
        (false, expect!["RequestRejoin"]),
        (
            true,
            expect![
                "CleanStatuses
read Resolve { round: 2 } within 3s"
            ],
        ),
    ] {
        let mut rig = Rig::member(leads);
        rig.step(Event::Joining { session: 1 });
        let mut assignment = rig.assignment(leads, &[], &[]);
        assignment.error = AssignmentError::ConfigMismatch;
        check(rig.joined(&assignment), expected);
    }
    let mut rig = Rig::member(true);
    rig.step(Event::Joining { session: 1 });
    let mut assignment = rig.assignment(true, &[], &[]);
    assignment.error = AssignmentError::ConfigMismatch;
    rig.joined(&assignment);
    let read = Read::Resolve { round: 2 };
    check(rig.step(Event::ConfigRead { read, in_time: true }), expect!["RequestRejoin"]);
}

#[test]
fn who_is_lost_stops_everything_before_it_joins_again() {
    let mut rig = Rig::at_work(true);
    check(
        rig.step(Event::Lost { session: 1, why: "silence".into() }),
        expect![[r#"
        stop a run 1
        stop a-0 run 2
        stop a-1 run 3"#]],
    );
    assert_eq!(rig.state.leadership(), Leadership::Unknown);
    assert_eq!(rig.state.health(), Health::Unhealthy("It is not a member of its group: silence.".into()));
    check(rig.step(Event::Joining { session: 1 }), expect![""]);
    for (text, run) in [("a", 1), ("a-0", 2), ("a-1", 3)] {
        rig.stopped(text, run);
    }
    check(rig.step(Event::Flushed), expect!["offer sessioned,compatible,default at 5 with nothing yet"]);
}

#[test]
fn an_assignment_that_cannot_be_read_is_asked_for_again() {
    let mut rig = Rig::at_work(false);
    rig.step(Event::Joining { session: 1 });
    let broken = Event::Joined {
        session: 1,
        protocol: "sessioned".into(),
        generation: 3,
        member_id: ME.into(),
        assignment: Bytes::new(),
    };
    check(rig.step(broken), expect![""]);
    check(rig.pass(Duration::from_secs(1)), expect!["RequestRejoin"]);
}

// ---- leading

fn leading(members: Vec<(String, Bytes)>) -> Event {
    Event::Leading {
        session: 1,
        protocol: "sessioned".into(),
        generation: 9,
        leader_id: ME.into(),
        members,
        let_go: crate::group::Work::default(),
    }
}

#[test]
fn a_leader_assigns_what_it_has_read() {
    let mut rig = Rig::at_work(true);
    let members = vec![(ME.into(), metadata("http://w0/", 5, &["a", "a-0", "a-1"]))];
    rig.read(connector("b"));
    rig.step(Event::Joining { session: 1 });
    check(rig.step(leading(members)), expect!["assign me: b"]);
}

#[test]
fn a_leader_that_is_behind_reads_first_and_steps_back_if_it_cannot() {
    let mut rig = Rig::member(true);
    let members = vec![
        (ME.into(), metadata("http://w0/", 1, &[])),
        (OTHER.into(), metadata("http://w1/", 2, &[])),
        ("broken".into(), Bytes::from_static(b"?")),
    ];
    rig.step(Event::Joining { session: 1 });
    check(rig.step(leading(members.clone())), expect!["read Lead { round: 2 } within 3s"]);
    check(rig.read(connector("a")), expect!["assign me: a; other: "]);
    rig.step(Event::Joining { session: 1 });
    let members =
        vec![(ME.into(), metadata("http://w0/", 2, &[])), (OTHER.into(), metadata("http://w1/", 9, &[]))];
    check(rig.step(leading(members.clone())), expect!["read Lead { round: 3 } within 3s"]);
    check(
        rig.step(Event::ConfigRead { read: Read::Lead { round: 3 }, in_time: true }),
        expect!["assign me:  CONFIG_MISMATCH; other:  CONFIG_MISMATCH"],
    );
    rig.step(Event::Joining { session: 1 });
    rig.step(leading(members));
    check(rig.step(Event::ConfigRead { read: Read::Lead { round: 4 }, in_time: false }), expect!["Leave"]);
}

#[test]
fn a_new_leader_reads_to_the_end_before_it_writes() {
    let mut rig = Rig::member(false);
    rig.step(Event::Joining { session: 1 });
    let assignment = rig.assignment(true, &[], &[]);
    check(
        rig.joined(&assignment),
        expect![
            "CleanStatuses
read Resolve { round: 2 } within 3s"
        ],
    );
    check(rig.ask(1, Request::Leader), expect![""]);
    check(
        rig.step(Event::ConfigRead { read: Read::Resolve { round: 2 }, in_time: true }),
        expect!["answer 1: Done"],
    );
}

// ---- the session key

#[test]
fn the_leader_makes_the_session_key_and_renews_it() {
    let mut rig = Rig::new(settings(0, Protocol::Sessioned));
    let write = r#"WriteSessionKey { write: 1, algorithm: "HmacSHA256", size: 32 }"#;
    assert!(show(&rig.join(true, &[], &[])).ends_with(write));
    check(rig.step(Event::Tick), expect![""]);
    check(rig.step(Event::Written { write: 1, result: Err("no broker".into()) }), expect![""]);
    check(
        rig.pass(Duration::from_secs(5)),
        expect![[r#"WriteSessionKey { write: 2, algorithm: "HmacSHA256", size: 32 }"#]],
    );
    rig.read(vec![key_record(rig.now.epoch_ms)]);
    rig.step(Event::Written { write: 2, result: Ok(()) });
    check(rig.pass(Duration::from_millis(3_599_999)), expect![""]);
    check(
        rig.pass(Duration::from_millis(1)),
        expect![[r#"WriteSessionKey { write: 3, algorithm: "HmacSHA256", size: 32 }"#]],
    );
    let mut follower = Rig::new(settings(0, Protocol::Sessioned));
    check(follower.join(false, &[], &[]), expect![""]);
    let mut unsigned = Rig::new(settings(0, Protocol::Compatible));
    check(
        unsigned.join(true, &[], &[]),
        expect![
            "CleanStatuses
read Resolve { round: 1 } within 3s"
        ],
    );
}

#[test]
fn signatures_are_checked_before_anything_else() {
    let body = Bytes::from_static(b"[]");
    let put = |signature| Request::PutTasks {
        name: "a".into(),
        configs: Vec::new(),
        body: body.clone(),
        signature,
    };
    let signed = |algorithm: &str, key: &[u8]| {
        let mac = RequestSignature::sign("HmacSHA256", key, b"[]").unwrap().mac;
        Some(RequestSignature { algorithm: algorithm.into(), mac })
    };
    let mut rig = Rig::at_work(false);
    check(
        rig.ask(1, put(None)),
        expect![[r#"answer 1: BadRequest("Internal request missing required signature")"#]],
    );
    check(
        rig.ask(2, put(signed("HmacMD5", &[1; 32]))),
        expect![[
            r#"answer 2: BadRequest("This worker does not support the 'HmacMD5' key signing algorithm used by other workers. This worker is currently configured to use: [HmacSHA256]. Check that all workers' configuration files permit the same set of signature algorithms, and correct any misconfigured worker and restart it.")"#
        ]],
    );
    check(
        rig.ask(3, put(signed("HmacSHA256", b"guess"))),
        expect![[r#"answer 3: Forbidden("Internal request contained invalid signature.")"#]],
    );
    check(
        rig.ask(4, put(signed("HmacSHA256", &[1; 32]))),
        expect![[r#"answer 4: Elsewhere { url: "http://w1/" }"#]],
    );
    let mut early = Rig::new(settings(0, Protocol::Sessioned));
    early.join(false, &[], &[]);
    check(
        early.ask(5, put(signed("HmacSHA256", &[1; 32]))),
        expect![[
            r#"answer 5: Unavailable("This worker is still starting up and has not been able to read a session key from the config topic yet")"#
        ]],
    );
    let mut unsigned = Rig::new(settings(0, Protocol::Compatible));
    unsigned.join(true, &[], &[]);
    check(unsigned.ask(6, put(None)), expect![[r#"answer 6: NotFound("Connector a not found")"#]]);
}

// ---- task configurations

#[test]
fn task_configurations_are_written_only_when_they_changed() {
    let mut rig = Rig::at_work(true);
    check(rig.wants_tasks(1, "a", 2), expect![""]);
    check(
        rig.wants_tasks(1, "a", 1),
        expect![[r#"write 1: task-a-0={"properties":{"task":"0"}} commit-a={"tasks":1}"#]],
    );
    check(rig.step(Event::Written { write: 1, result: Err("no broker".into()) }), expect![""]);
    check(
        rig.pass(Duration::from_millis(250)),
        expect![[r#"write 2: task-a-0={"properties":{"task":"0"}} commit-a={"tasks":1}"#]],
    );
}

#[test]
fn tasks_are_made_again_when_their_connector_changed() {
    let mut rig = Rig::at_work(true);
    rig.read(vec![config_records::connector("a", &config(&[("name", "a"), ("new", "1")]))]);
    rig.stopped("a", 1);
    check(
        rig.wants_tasks(4, "a", 2),
        expect![[
            r#"write 1: task-a-0={"properties":{"task":"0"}} task-a-1={"properties":{"task":"1"}} commit-a={"tasks":2}"#
        ]],
    );
}

#[test]
fn a_follower_posts_task_configurations_to_the_leader_until_it_takes_them() {
    let mut rig = Rig::at_work(false);
    check(rig.wants_tasks(9, "a", 1), expect![""]);
    check(
        rig.wants_tasks(1, "a", 1),
        expect![[r#"post a to http://w1/, attempt 1, [{"task":"0"}], signed"#]],
    );
    let refused = || Err("the worker at http://w1/ answered 409: busy".to_owned());
    rig.step(Event::Posted { connector: "a".into(), attempt: 1, result: refused() });
    check(
        rig.pass(Duration::from_millis(250)),
        expect![[r#"post a to http://w1/, attempt 2, [{"task":"0"}], signed"#]],
    );
    rig.step(Event::Posted { connector: "a".into(), attempt: 2, result: refused() });
    check(rig.pass(Duration::from_millis(499)), expect![""]);
    check(
        rig.pass(Duration::from_millis(1)),
        expect![[r#"post a to http://w1/, attempt 3, [{"task":"0"}], signed"#]],
    );
    rig.step(Event::Posted { connector: "a".into(), attempt: 3, result: Ok(()) });
    check(rig.pass(Duration::from_secs(600)), expect![""]);
    // Another worker's late wish came through instead.
    rig.read(tasks("a", 2));
    check(
        rig.pass(Duration::from_millis(250)),
        expect![[r#"post a to http://w1/, attempt 4, [{"task":"0"}], signed"#]],
    );
}

#[test]
fn the_leader_takes_no_tasks_for_a_stopped_connector_and_takes_away_what_is_there() {
    let mut rig = Rig::at_work(true);
    check(
        rig.read(vec![config_records::target_state("a", TargetState::Stopped)]),
        expect![[r#"
            set a Stopped
            write 1: commit-a={"tasks":0}"#]],
    );
    rig.read(tasks("a", 0));
    rig.step(Event::Written { write: 1, result: Ok(()) });
    let body = Bytes::from_static(b"[{}]");
    let signature = rig.state.sign(&body);
    let put = Request::PutTasks { name: "a".into(), configs: vec![ConfigMap::new()], body, signature };
    check(
        rig.ask(7, put),
        expect![[
            r#"answer 7: BadRequest("Cannot submit non-empty set of task configs for stopped connector a")"#
        ]],
    );
}

// ---- requests

fn put(name: &str, expected: Expected) -> Request {
    let config = config(&[("name", name), ("x", "y")]);
    Request::Put { name: name.into(), config, initial_state: None, expected }
}

fn set_target(name: &str, target: TargetState) -> Request {
    Request::SetTarget { name: name.into(), target }
}

#[test]
fn changes_are_written_by_the_leader() {
    let mut rig = Rig::at_work(true);
    let created = Request::Put {
        name: "b".into(),
        config: config(&[("name", "b")]),
        initial_state: Some(TargetState::Stopped),
        expected: Expected::Nothing,
    };
    check(
        rig.ask(1, created),
        expect![[
            r#"write 1: target-state-b={"state":"PAUSED","state.v2":"STOPPED"} connector-b={"properties":{"name":"b"}}"#
        ]],
    );
    check(rig.step(Event::Written { write: 1, result: Ok(()) }), expect!["answer 1: Put(Created)"]);
    check(
        rig.ask(2, set_target("a", TargetState::Stopped)),
        expect![[r#"write 2: commit-a={"tasks":0} target-state-a={"state":"PAUSED","state.v2":"STOPPED"}"#]],
    );
    rig.step(Event::Written { write: 2, result: Ok(()) });
    check(
        rig.ask(3, Request::Delete { name: "a".into() }),
        expect!["write 3: connector-a=null target-state-a=null"],
    );
    check(
        rig.step(Event::Written { write: 3, result: Err("no answer".into()) }),
        expect![[
            r#"answer 3: Unavailable("Kafka did not take the change, or did not say so in time: no answer. See what is stored before trying again")"#
        ]],
    );
    check(
        rig.ask(4, put("a", Expected::Nothing)),
        expect![[r#"answer 4: Conflict("Connector a already exists")"#]],
    );
    check(rig.ask(5, put("a", Expected::This(config(&[])))), expect!["answer 5: Stale"]);
    check(
        rig.ask(6, put("x", Expected::This(config(&[])))),
        expect![[r#"answer 6: NotFound("Connector x not found")"#]],
    );
    check(
        rig.ask(7, Request::Delete { name: "x".into() }),
        expect![[r#"answer 7: NotFound("Connector x not found")"#]],
    );
    check(
        rig.ask(8, Request::SetLogger { logger: "root".into(), level: "INFO".into() }),
        expect![[r#"write 4: logger-cluster-root={"level":"INFO"}"#]],
    );
}

#[test]
fn a_follower_sends_changes_on_but_pauses_itself() {
    let mut rig = Rig::at_work(false);
    let elsewhere = |id| format!("answer {id}: Elsewhere {{ url: \"http://w1/\" }}");
    let restart = RestartRequest { include_tasks: true, only_failed: false };
    for (id, request) in [
        (1, put("b", Expected::Nothing)),
        (2, Request::Delete { name: "a".into() }),
        (3, set_target("a", TargetState::Stopped)),
        (4, Request::Restart { name: "a".into(), request: restart }),
        (5, Request::AlterOffsets { name: "a".into(), offsets: None }),
        (6, Request::Leader),
    ] {
        assert_eq!(show(&rig.ask(id, request)), elsewhere(id));
    }
    check(
        rig.ask(7, set_target("a", TargetState::Paused)),
        expect![[r#"write 1: target-state-a={"state":"PAUSED","state.v2":"PAUSED"}"#]],
    );
    check(
        rig.ask(8, set_target("x", TargetState::Paused)),
        expect![[r#"answer 8: NotFound("Unknown connector x")"#]],
    );
}

#[test]
fn a_change_waits_for_the_one_before_it() {
    let mut rig = Rig::at_work(true);
    rig.ask(1, put("b", Expected::Nothing));
    check(rig.ask(2, put("b", Expected::Nothing)), expect![""]);
    rig.read(connector("b"));
    check(
        rig.step(Event::Written { write: 1, result: Ok(()) }),
        expect![[r#"
            answer 1: Put(Created)
            answer 2: Conflict("Connector b already exists")"#]],
    );
}

#[test]
fn a_request_without_a_leader_waits_and_is_refused_in_the_end() {
    let mut rig = Rig::new(settings(0, Protocol::Sessioned));
    check(rig.ask(1, put("b", Expected::Nothing)), expect![""]);
    check(rig.pass(Duration::from_millis(29_999)), expect![""]);
    check(
        rig.pass(Duration::from_millis(1)),
        expect![[
            r#"answer 1: Conflict("Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.")"#
        ]],
    );
    rig.ask(2, put("b", Expected::Nothing));
    check(rig.join(false, &[], &[]), expect![[r#"answer 2: Elsewhere { url: "http://w1/" }"#]]);
}

#[test]
fn restarts_wait_for_the_end_of_a_rebalance() {
    let mut rig = Rig::at_work(true);
    rig.read(connector("b"));
    let task = TaskId { connector: "a".into(), task: 0 };
    check(rig.ask(1, Request::RestartTask { id: task }), expect![""]);
    check(
        rig.pass(Duration::from_secs(30)),
        expect![[
            r#"answer 1: Conflict("Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config change)")"#
        ]],
    );
}

#[test]
fn who_runs_it_restarts_it() {
    let mut rig = Rig::at_work(true);
    let task = |task| Request::RestartTask { id: TaskId { connector: "a".into(), task } };
    check(
        rig.ask(1, task(0)),
        expect![
            "answer 1: Done
stop a-0 run 2"
        ],
    );
    check(rig.ask(2, task(7)), expect![[r#"answer 2: NotFound("Unknown task: a-7")"#]]);
    check(rig.ask(3, Request::RestartConnector { name: "a".into() }), expect!["stop a run 1"]);
    check(
        rig.stopped("a", 1),
        expect![
            "status a UNASSIGNED of 2
start a Started run 4"
        ],
    );
    check(
        rig.runs("a", 4, failed()),
        expect![[r#"
        status a FAILED of 2
        answer 3: Internal("Failed to start connector: a")"#]],
    );
    check(
        rig.ask(4, Request::RestartConnector { name: "x".into() }),
        expect![[r#"answer 4: NotFound("Unknown connector: x")"#]],
    );
    // The leader knows where the rest is.
    rig.read([connector("b"), tasks("b", 1)].concat());
    rig.stopped("a-0", 2);
    rig.step(Event::Joining { session: 1 });
    let members = vec![
        (ME.into(), metadata("http://w0/", 8, &["a", "a-0", "a-1"])),
        (OTHER.into(), metadata("http://w1/", 8, &["b", "b-0"])),
    ];
    rig.step(leading(members));
    let assignment = rig.assignment(true, &[], &[]);
    rig.joined(&assignment);
    check(
        rig.ask(5, Request::RestartConnector { name: "b".into() }),
        expect![[r#"answer 5: Elsewhere { url: "http://w1/" }"#]],
    );
}

#[test]
fn offsets_are_altered_for_stopped_connectors_only() {
    let mut rig = Rig::at_work(true);
    let alter = |name: &str| Request::AlterOffsets { name: name.into(), offsets: None };
    check(
        rig.ask(1, alter("a")),
        expect![[
            r#"answer 1: BadRequest("Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/a/stop' endpoint")"#
        ]],
    );
    check(rig.ask(2, alter("x")), expect![[r#"answer 2: NotFound("Connector x not found")"#]]);
    rig.read([tasks("a", 0), vec![config_records::target_state("a", TargetState::Stopped)]].concat());
    rig.stopped("a-0", 2);
    rig.stopped("a-1", 3);
    rig.step(Event::Flushed);
    rig.join(true, &[], &["a-0", "a-1"]);
    rig.join(true, &[], &[]);
    check(
        rig.ask(3, alter("a")),
        expect![[r#"AlterOffsets { request: 3, connector: "a", config: {"name": "a"}, offsets: None }"#]],
    );
    check(rig.ask(4, set_target("a", TargetState::Started)), expect![""]);
    check(
        rig.step(Event::OffsetsAltered { request: 3, connector: "a".into(), result: Ok("done".into()) }),
        expect![[r#"
            answer 3: Message("done")
            write 1: target-state-a={"state":"STARTED","state.v2":"STARTED"}"#]],
    );
}

// ---- what runs here

#[test]
fn news_of_an_earlier_run_is_passed_over() {
    let mut rig = Rig::at_work(false);
    check(rig.runs("a-0", 1, failed()), expect![""]);
    rig.read(connector("a"));
    check(rig.runs("a", 1, failed()), expect![""]);
    check(rig.stopped("a-0", 7), expect![""]);
}

#[test]
fn topics_are_told_while_their_task_is_here_and_forgotten_with_the_connector() {
    let mut rig = Rig::at_work(false);
    let used =
        |task| Event::Worker(WorkerEvent::TopicUsed { connector: "a".into(), task, topic: "t".into() });
    check(rig.step(used(0)), expect![[r#"TopicUsed { connector: "a", task: 0, topic: "t" }"#]]);
    check(rig.step(used(5)), expect![""]);
    rig.read(config_records::remove_connector("a"));
    check(
        rig.stopped("a-0", 2),
        expect![[r#"
        status a-0 UNASSIGNED of 2
        ForgetTopics { connector: "a" }"#]],
    );
}

#[test]
fn what_failed_is_restarted_after_growing_pauses_if_that_is_wanted() {
    let mut rig = Rig::at_work(false);
    rig.runs("a-0", 2, failed());
    check(rig.pass(Duration::from_secs(3000)), expect![""]);

    let auto = AutoRestart { first_backoff: Duration::from_secs(1), max_backoff: Duration::from_secs(3) };
    let mut rig = Rig::new(Settings { auto_restart: Some(auto), ..settings(0, Protocol::Compatible) });
    rig.read([connector("a"), tasks("a", 1)].concat());
    rig.join(false, &["a-0"], &[]);
    let mut pauses = Vec::new();
    for run in 1..5 {
        rig.runs("a-0", run, failed());
        let mut pause = 0;
        while rig.pass(Duration::from_secs(1)).is_empty() {
            pause += 1;
        }
        pauses.push(pause + 1);
        let next = format!("status a-0 RESTARTING of 1\nstart a-0 Started run {}", run + 1);
        assert_eq!(show(&rig.stopped("a-0", run)), next);
    }
    assert_eq!(pauses, [1, 2, 3, 3]);
    rig.runs("a-0", 5, RunStatus::Running);
    rig.pass(Duration::from_secs(10));
    rig.runs("a-0", 5, failed());
    check(rig.pass(Duration::from_secs(1)), expect!["stop a-0 run 5"]);
}

// ---- the end

#[test]
fn a_worker_that_ends_stops_says_so_and_leaves() {
    let mut rig = Rig::at_work(true);
    rig.ask(
        1,
        Request::Restart {
            name: "b".into(),
            request: RestartRequest { include_tasks: true, only_failed: false },
        },
    );
    check(
        rig.step(Event::Shutdown),
        expect![[r#"
        stop a run 1
        stop a-0 run 2
        stop a-1 run 3"#]],
    );
    check(
        rig.ask(2, Request::Leader),
        expect![[r#"answer 2: Conflict("Cannot complete request: the worker is shutting down")"#]],
    );
    check(rig.step(Event::Joining { session: 1 }), expect![""]);
    rig.stopped("a", 1);
    rig.stopped("a-0", 2);
    check(
        rig.stopped("a-1", 3),
        expect![
            "status a-1 UNASSIGNED of 2
FlushStatuses"
        ],
    );
    check(rig.step(Event::Flushed), expect!["Leave"]);
    check(rig.step(Event::Left), expect!["Finished"]);
    let mut early = State::new(settings(0, Protocol::Sessioned));
    assert_eq!(early.step(Event::Shutdown, rig.now), [Effect::Finished]);
}

#[test]
fn statuses_say_the_generation_they_are_of() {
    let mut rig = Rig::at_work(false);
    rig.join(false, &[], &[]);
    let effects = rig.runs("a-0", 2, failed());
    let expected = Effect::PutStatus {
        item: super::rig::item("a-0"),
        state: RunState::Failed,
        trace: Some("no luck".into()),
        generation: 3,
    };
    assert_eq!(effects, [expected]);
}
