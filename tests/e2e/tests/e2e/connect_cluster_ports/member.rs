//! Members of one group, and what each of them is told.

use super::broker::Broker;
use super::{LONG, worker};
use bytes::Bytes;
use connect_kafka::KafkaGroupMember;
use connect_runtime::group::Protocol;
use connect_runtime::ports::{GroupEvent, GroupMembership};
use connect_runtime::worker_config::{DistributedConfig, InterWorkerKeys, StorageTopic};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::{eventually, kafka, unique};
use tokio::sync::mpsc;

pub(super) fn config(group: &str, session: Duration) -> DistributedConfig {
    let topic = StorageTopic {
        name: "unused".to_owned(),
        partitions: 1,
        replication_factor: 1,
        settings: Default::default(),
    };
    DistributedConfig {
        group_id: group.to_owned(),
        protocol: Protocol::Sessioned,
        config_topic: topic.clone(),
        offset_topic: topic.clone(),
        status_topic: topic,
        session_timeout: session,
        heartbeat_interval: Duration::from_millis(500),
        rebalance_timeout: Duration::from_secs(20),
        scheduled_rebalance_max_delay: Duration::ZERO,
        worker_sync_timeout: Duration::from_secs(3),
        worker_unsync_backoff: Duration::from_secs(300),
        inter_worker_keys: InterWorkerKeys {
            generation_algorithm: "HmacSHA256".to_owned(),
            size: 32,
            ttl: Duration::from_secs(3600),
            signature_algorithm: "HmacSHA256".to_owned(),
            verification_algorithms: vec!["HmacSHA256".to_owned()],
        },
    }
}

/// What a member was told last, and how often.
#[derive(Clone, Debug, Default)]
struct Told {
    joined: Vec<(i32, String, String)>,
    /// The metadata of all members, of each round that this one led.
    led: Vec<Vec<String>>,
    lost: Vec<String>,
    joining: usize,
}

/// A member with a herder that gives each member its own metadata, reversed.
struct Peer {
    member: KafkaGroupMember,
    told: Arc<Mutex<Told>>,
}

impl Peer {
    fn start(bootstrap: &str, group: &str, name: &'static str, session: Duration) -> Self {
        Self::slow(bootstrap, group, name, session, Duration::ZERO)
    }

    /// `stopping` passes before it answers a question, as when work has to stop first.
    fn slow(bootstrap: &str, group: &str, name: &'static str, session: Duration, stopping: Duration) -> Self {
        let member =
            KafkaGroupMember::new(&worker(bootstrap, group), &config(group, session), &format!("{name}:1"))
                .unwrap();
        let told = Arc::new(Mutex::new(Told::default()));
        let peer = Self { member, told };
        peer.join(name, stopping);
        peer
    }

    fn join(&self, name: &'static str, stopping: Duration) {
        let (events, mut heard) = mpsc::unbounded_channel();
        self.member.join(events);
        let told = self.told.clone();
        tokio::spawn(async move {
            while let Some(event) = heard.recv().await {
                match event {
                    GroupEvent::Joining { answer } => {
                        told.lock().unwrap().joining += 1;
                        tokio::time::sleep(stopping).await;
                        let _ =
                            answer.send(vec![("sessioned".to_owned(), Bytes::from_static(name.as_bytes()))]);
                    }
                    GroupEvent::Leading { protocol, members, answer, .. } => {
                        assert_eq!(protocol, "sessioned");
                        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
                        let mut all: Vec<String> =
                            members.iter().map(|(_, metadata)| text(metadata)).collect();
                        all.sort();
                        told.lock().unwrap().led.push(all);
                        let reversed = |metadata: &Bytes| metadata.iter().rev().copied().collect::<Bytes>();
                        let _ = answer
                            .send(members.iter().map(|(id, meta)| (id.clone(), reversed(meta))).collect());
                    }
                    GroupEvent::Joined { generation, member_id, assignment, .. } => {
                        let assignment = String::from_utf8(assignment.to_vec()).unwrap();
                        told.lock().unwrap().joined.push((generation, member_id, assignment));
                    }
                    GroupEvent::Lost { why } => told.lock().unwrap().lost.push(why),
                }
            }
        });
    }

    fn told(&self) -> Told {
        self.told.lock().unwrap().clone()
    }

    fn generation(&self) -> i32 {
        self.told().joined.last().map_or(0, |(generation, ..)| *generation)
    }

    async fn reaches(&self, generation: i32) {
        eventually(format!("generation {generation}"), LONG, async || {
            anyhow::ensure!(self.generation() >= generation, "{:?}", self.told());
            Ok(Some(()))
        })
        .await;
    }
}

/// Both in the same generation, which goes on.
async fn together(a: &Peer, b: &Peer) -> i32 {
    eventually("one generation of both", LONG, async || {
        let (one, other) = (a.generation(), b.generation());
        anyhow::ensure!(one == other && one > 0, "{:?} {:?}", a.told(), b.told());
        let led = [a, b].map(|peer| peer.told().led.last().cloned().unwrap_or_default());
        anyhow::ensure!(led.iter().any(|members| members.len() == 2), "{led:?}");
        Ok(Some(one))
    })
    .await
}

const SESSION: Duration = Duration::from_secs(6);
const LONG_SESSION: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn one_leads_and_everybody_gets_what_it_assigns() -> anyhow::Result<()> {
    let (bootstrap, group) = (kafka()?, unique("members"));
    let a = Peer::start(&bootstrap, &group, "abc", LONG_SESSION);
    a.reaches(1).await;
    assert_eq!(a.told().led, [["abc"]]);
    let b = Peer::start(&bootstrap, &group, "xyz", LONG_SESSION);
    let generation = together(&a, &b).await;
    let leaders: Vec<_> = [&a, &b].into_iter().filter_map(|peer| peer.told().led.last().cloned()).collect();
    assert!(leaders.contains(&vec!["abc".to_owned(), "xyz".to_owned()]), "{leaders:?}");
    for (peer, name, assignment) in [(&a, "abc", "cba"), (&b, "xyz", "zyx")] {
        let (_, member_id, assigned) = peer.told().joined.last().cloned().unwrap();
        assert_eq!(assigned, assignment);
        assert!(member_id.starts_with(&format!("connect-{name}:1-")), "{member_id}");
    }

    // many wishes are one rebalance, and another one for those that came while it had begun
    for _ in 0..10 {
        a.member.request_rejoin();
    }
    a.reaches(generation + 1).await;
    b.reaches(generation + 1).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let generation = together(&a, &b).await;
    assert!(a.told().joining <= 4, "{:?}", a.told());

    // who does not lead and has nothing new to say is told again what holds: the coordinator spares the others
    let before = b.told().joined.len();
    b.member.request_rejoin();
    eventually("another answer", LONG, async || Ok((b.told().joined.len() > before).then_some(()))).await;
    let told = b.told().joined;
    assert_eq!(told[before], told[before - 1]);

    // who leaves is not waited for
    let began = Instant::now();
    b.member.leave().await;
    let told = b.told();
    a.reaches(generation + 1).await;
    assert!(began.elapsed() < LONG_SESSION / 2, "{:?}", began.elapsed());
    assert_eq!(a.told().led.last().unwrap(), &["abc"]);
    let after = b.told();
    assert_eq!((after.joined.len(), after.joining, after.lost.len()), (told.joined.len(), told.joining, 0));

    // and may come back
    b.join("uvw", Duration::ZERO);
    a.reaches(generation + 2).await;
    together(&a, &b).await;
    assert_eq!(b.told().joined.last().unwrap().2, "wvu");
    a.member.leave().await;
    b.member.leave().await;
    assert_eq!(testkit::kafka_client::group(&bootstrap, &group).await?.members, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_dies_is_missed_after_the_session_timeout() -> anyhow::Result<()> {
    let (bootstrap, group) = (kafka()?, unique("members"));
    let a = Peer::start(&bootstrap, &group, "abc", SESSION);
    a.reaches(1).await;
    let b = Peer::start(&bootstrap, &group, "xyz", SESSION);
    let generation = together(&a, &b).await;
    let died = Instant::now();
    drop(b.member);
    a.reaches(generation + 1).await;
    // its last heartbeat was up to half a second before
    assert!(died.elapsed() > SESSION - Duration::from_secs(1), "{:?}", died.elapsed());
    assert!(died.elapsed() < SESSION + Duration::from_secs(5), "{:?}", died.elapsed());
    assert_eq!(a.told().led.last().unwrap(), &["abc"]);
    assert!(a.told().lost.is_empty());
    a.member.leave().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_its_work_slowly_is_kept_meanwhile() -> anyhow::Result<()> {
    let (bootstrap, group) = (kafka()?, unique("members"));
    let slow = SESSION + Duration::from_secs(3);
    let a = Peer::slow(&bootstrap, &group, "abc", SESSION, slow);
    a.reaches(1).await;
    let id = a.told().joined[0].1.clone();
    let b = Peer::start(&bootstrap, &group, "xyz", SESSION);
    together(&a, &b).await;
    let told = a.told();
    assert_eq!(told.joined.last().unwrap().1, id, "it had to come back as somebody new");
    assert!(told.lost.is_empty(), "{:?}", told.lost);
    a.member.leave().await;
    b.member.leave().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_hangs_costs_the_membership_one_that_dies_soon_enough_does_not()
-> anyhow::Result<()> {
    let mut broker = Broker::start().await?;
    let group = unique("members");
    let a = Peer::start(&broker.bootstrap, &group, "abc", SESSION);
    a.reaches(1).await;
    broker.process.signal("STOP");
    let stopped = Instant::now();
    eventually("the loss", LONG, async || Ok((!a.told().lost.is_empty()).then_some(()))).await;
    let after = stopped.elapsed();
    assert!(
        after > SESSION - Duration::from_secs(1) && after < SESSION + Duration::from_secs(2),
        "{after:?}"
    );
    let joined = a.told().joined.len();
    broker.process.signal("CONT");
    eventually("the return", LONG, async || Ok((a.told().joined.len() > joined).then_some(()))).await;
    assert_eq!(a.told().lost.len(), 1, "{:?}", a.told());

    // a member of a long session gets over a restart without anybody noticing
    let other = unique("members");
    let b = Peer::start(&broker.bootstrap, &other, "xyz", LONG_SESSION);
    b.reaches(1).await;
    broker.kill();
    tokio::time::sleep(Duration::from_secs(2)).await;
    // leaving is quick, even now
    let began = Instant::now();
    a.member.leave().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    broker.start_again().await?;
    b.member.request_rejoin();
    b.reaches(2).await;
    assert!(b.told().lost.is_empty(), "{:?}", b.told());
    b.member.leave().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_others_is_left_alone() -> anyhow::Result<()> {
    let (bootstrap, group) = (kafka()?, unique("members"));
    let a = Peer::start(&bootstrap, &group, "abc", SESSION);
    a.reaches(1).await;
    let stranger =
        KafkaGroupMember::new(&worker(&bootstrap, &group), &config(&group, SESSION), "stranger:1")?;
    let (events, mut heard) = mpsc::unbounded_channel();
    stranger.join(events);
    let Some(GroupEvent::Joining { answer }) = heard.recv().await else { panic!("no question") };
    // nothing in common with the other member
    let _ = answer.send(vec![("default".to_owned(), Bytes::from_static(b"x"))]);
    let more = tokio::time::timeout(Duration::from_secs(3), heard.recv()).await;
    assert!(more.is_err(), "{more:?}");
    assert_eq!((a.generation(), a.told().lost.len()), (1, 0));
    stranger.leave().await;
    a.member.leave().await;
    Ok(())
}
