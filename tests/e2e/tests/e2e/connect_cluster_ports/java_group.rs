//! One group with a Java worker: both understand each other's bytes, whoever leads.

use super::member::config;
use super::{LONG, worker};
use crate::support::folder::Folder;
use connect_kafka::KafkaGroupMember;
use connect_runtime::group::{
    Assignment, AssignmentError, MemberState, Protocol, Work, decode_assignment, decode_metadata,
    encode_assignment, offered,
};
use connect_runtime::ports::{GroupEvent, GroupMembership};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::{Process, eventually, free_port, kafka, unique};
use tokio::sync::mpsc;

fn java(folder: &Folder, group: &str, port: u16) -> anyhow::Result<Process> {
    folder.write(
        "worker.properties",
        &format!(
            "bootstrap.servers={}\ngroup.id={group}\nlisteners=http://127.0.0.1:{port}\n\
             key.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter=org.apache.kafka.connect.json.JsonConverter\n\
             config.storage.topic={group}-configs\noffset.storage.topic={group}-offsets\nstatus.storage.topic={group}-status\n\
             config.storage.replication.factor=1\noffset.storage.replication.factor=1\nstatus.storage.replication.factor=1\n\
             offset.storage.partitions=1\nstatus.storage.partitions=1\n",
            kafka()?
        ),
    )?;
    let mut command = Command::new("java");
    command.args(["-Xmx300m", "-cp"]).arg(testkit::kafka_libs()?.join("*"));
    let command =
        command.arg("org.apache.kafka.connect.cli.ConnectDistributed").arg(folder.path("worker.properties"));
    Ok(Process::spawn("java-distributed", command))
}

/// A worker without work.
#[derive(Clone, Default)]
struct Idle {
    /// The URLs of all members, of each round it led.
    led: Arc<Mutex<Vec<Vec<String>>>>,
    assigned: Arc<Mutex<Vec<Assignment>>>,
}

impl Idle {
    fn run(&self, member: &KafkaGroupMember, url: &'static str) {
        let (events, mut heard) = mpsc::unbounded_channel();
        member.join(events);
        let this = self.clone();
        tokio::spawn(async move {
            while let Some(event) = heard.recv().await {
                match event {
                    GroupEvent::Joining { answer } => {
                        let state = MemberState { url: url.to_owned(), config_offset: 0, assignment: None };
                        let _ = answer.send(offered(Protocol::Sessioned, &state));
                    }
                    GroupEvent::Leading { protocol, leader_id, members, answer, .. } => {
                        let protocol = Protocol::from_name(&protocol).unwrap();
                        let states: Vec<_> =
                            members.iter().map(|(_, bytes)| decode_metadata(bytes).unwrap()).collect();
                        this.led.lock().unwrap().push(states.iter().map(|state| state.url.clone()).collect());
                        let assignment = Assignment {
                            error: AssignmentError::None,
                            leader: leader_id,
                            leader_url: url.to_owned(),
                            config_offset: states.iter().map(|state| state.config_offset).max().unwrap_or(0),
                            assigned: Work::default(),
                            revoked: Work::default(),
                            delay_ms: 0,
                        };
                        let bytes = encode_assignment(&assignment, protocol);
                        let _ = answer.send(members.into_iter().map(|(id, _)| (id, bytes.clone())).collect());
                    }
                    GroupEvent::Joined { assignment, .. } => {
                        this.assigned.lock().unwrap().push(decode_assignment(&assignment).unwrap());
                    }
                    GroupEvent::Lost { why } => panic!("{why}"),
                }
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_java_worker_and_ours_are_members_of_one_group() -> anyhow::Result<()> {
    let (group, folder, port) = (unique("java_group"), Folder::new("java-group")?, free_port());
    let mut java = java(&folder, &group, port)?;
    let java_url = format!("http://127.0.0.1:{port}/");
    eventually("the Java worker's group", LONG * 2, async || {
        let found = testkit::kafka_client::group(&kafka()?, &group).await?;
        anyhow::ensure!(found.members == 1 && found.state == "Stable", "{found:?}");
        Ok(Some(()))
    })
    .await;

    // Java leads
    let session = Duration::from_secs(10);
    let member = KafkaGroupMember::new(&worker(&kafka()?, &group), &config(&group, session), "127.0.0.1:1")?;
    let ours = Idle::default();
    ours.run(&member, "http://127.0.0.1:1/");
    eventually("an assignment by Java", LONG, async || {
        Ok(ours.assigned.lock().unwrap().iter().any(|one| one.leader_url == java_url).then_some(()))
    })
    .await;

    // it goes: we lead; it comes back: we still do
    java.terminate();
    java.wait_exit(LONG).await?;
    eventually("our own lead", LONG, async || {
        Ok(ours.led.lock().unwrap().iter().any(|urls| urls == &["http://127.0.0.1:1/"]).then_some(()))
    })
    .await;
    let mut java = self::java(&folder, &group, port)?;
    eventually("Java among our members", LONG * 2, async || {
        Ok(ours.led.lock().unwrap().iter().any(|urls| urls.contains(&java_url)).then_some(()))
    })
    .await;
    // it takes our assignment: a follower sends the creation of a connector to its leader, and nobody is there
    eventually("an attempt to reach the leader", LONG, async || {
        let created = reqwest::Client::new()
            .post(format!("{java_url}connectors"))
            .header("content-type", "application/json")
            .body(r#"{"name":"x","config":{"connector.class":"FileStreamSource","topic":"t","file":"/x"}}"#)
            .send()
            .await?;
        let (status, text) = (created.status(), created.text().await?);
        anyhow::ensure!(
            status.as_u16() == 500 && text.contains("IO Error trying to forward"),
            "{status} {text}"
        );
        Ok(Some(()))
    })
    .await;
    member.leave().await;
    java.terminate();
    java.wait_exit(LONG).await?;
    Ok(())
}
