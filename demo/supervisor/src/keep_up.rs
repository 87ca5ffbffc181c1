//! Keeps a demo up: a child that dies is started again after a while, as an orchestrator would do it, and the person at
//! the terminal is told. A check does without: there, a child that dies unasked is a failure.

use crate::args::Store;
use crate::plan::{BROKER, ChildPlan, ORDER_SERVICES, Ready, Settings};
use crate::processes::{Exit, Exits, Processes, tail};
use crate::progress::Progress;
use crate::readiness;
use crate::running::{self, ChildState, Running, RunningChild};
use anyhow::{Context as _, bail};
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const PAUSE: Duration = Duration::from_millis(200);
/// The embedded broker removes a dead member only when another joins after its session timeout, which is 6 s for all
/// of ours; whoever joins earlier takes records from the dead one for ever.
const AWAY_EMBEDDED: Duration = Duration::from_secs(7);
const AWAY: Duration = Duration::from_secs(3);
/// A child that ends by itself this often (not: is killed) will not do better the next time.
const TOO_OFTEN: usize = 5;
const WITHIN: Duration = Duration::from_secs(120);

/// Tells the file of the running demo, and removes it at the end.
pub(crate) struct Keeper {
    /// With the stage of each.
    plans: Vec<(usize, ChildPlan)>,
    file: PathBuf,
    running: Running,
    progress: Progress,
    died_at: BTreeMap<String, Instant>,
    ended_by_themselves: BTreeMap<String, Vec<Instant>>,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // a file that stays behind is recognised by its process id
        let _ = std::fs::remove_file(&self.file);
    }
}

impl Keeper {
    /// For a platform whose children are all up.
    pub(crate) fn new(
        settings: &Settings,
        processes: &Processes,
        progress: Progress,
    ) -> anyhow::Result<Self> {
        let plans: Vec<(usize, ChildPlan)> = settings
            .stages()
            .into_iter()
            .enumerate()
            .flat_map(|(stage, plans)| plans.into_iter().map(move |plan| (stage, plan)))
            .filter(|(_, plan)| plan.ready != Ready::Done)
            .collect();
        let children = plans.iter().map(|(_, plan)| RunningChild {
            name: plan.name.to_owned(),
            state: ChildState::Up,
            pid: processes.pid(plan.name),
            restarts: 0,
            address: plan.place.clone(),
            may_be_killed: plan.name != BROKER,
        });
        let running = Running {
            supervisor: std::process::id(),
            bootstrap: settings.bootstrap(),
            operator_token: settings.operator_token.clone(),
            databases: databases(settings),
            down_dir: settings.work_dir.join("down"),
            away_seconds: if settings.kafka.is_none() { AWAY_EMBEDDED } else { AWAY }.as_secs(),
            children: children.collect(),
        };
        let own = std::env::current_exe().context("asking for the path of this program")?;
        let file =
            running::file(own.parent().context("this program is in no directory")?, settings.ports.gateway);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        let (died_at, ended_by_themselves) = Default::default();
        let keeper = Self { plans, file, running, progress, died_at, ended_by_themselves };
        keeper.tell()?;
        Ok(keeper)
    }

    /// Until something cannot be kept up.
    pub(crate) async fn keep(
        &mut self,
        processes: &mut Processes,
        exits: &mut Exits,
        http: &reqwest::Client,
    ) -> anyhow::Error {
        loop {
            let worked = tokio::select! {
                exit = exits.next() => self.died(&exit),
                () = sleep(PAUSE), if self.running.children.iter().any(|child| child.state != ChildState::Up) => {
                    self.bring_up(processes, http).await
                }
            };
            if let Err(error) = worked {
                return error;
            }
        }
    }

    fn died(&mut self, exit: &Exit) -> anyhow::Result<()> {
        if exit.name == BROKER {
            bail!("{} ended ({}), and all records with it\n{}", exit.name, exit.status, tail(&exit.log));
        }
        let away = self.running.away_seconds;
        let stays = self.running.marker(exit.name).exists();
        let next = if stays { "stays down".to_owned() } else { format!("starts again in {away} s") };
        if exit.status.signal() == Some(9) {
            self.progress.step(exit.name, &format!("was killed; {next}"));
        } else {
            self.progress.step(exit.name, &format!("ended by itself ({}); {next}", exit.status));
            println!("{}", tail(&exit.log));
            let now = Instant::now();
            let ends = self.ended_by_themselves.entry(exit.name.to_owned()).or_default();
            ends.push(now);
            ends.retain(|end| now.duration_since(*end) < WITHIN);
            if ends.len() >= TOO_OFTEN {
                bail!("{} ended by itself {TOO_OFTEN} times in {} s", exit.name, WITHIN.as_secs());
            }
        }
        self.died_at.insert(exit.name.to_owned(), Instant::now());
        if let Some(child) = self.running.children.iter_mut().find(|child| child.name == exit.name) {
            child.state = ChildState::Down;
            child.pid = None;
        }
        self.tell()
    }

    /// Starts who has been away long enough, and looks whether those who start are up.
    async fn bring_up(&mut self, processes: &mut Processes, http: &reqwest::Client) -> anyhow::Result<()> {
        let away = Duration::from_secs(self.running.away_seconds);
        let mut changed = false;
        for (stage, plan) in &self.plans {
            let stays = self.running.marker(plan.name).exists();
            let Some(child) = self.running.children.iter_mut().find(|child| child.name == plan.name) else {
                continue;
            };
            match child.state {
                ChildState::Down => {
                    let due = self.died_at.get(plan.name).is_none_or(|died| died.elapsed() >= away);
                    if due && !stays {
                        processes.start(plan, *stage)?;
                        child.state = ChildState::Starting;
                        child.pid = processes.pid(plan.name);
                        child.restarts += 1;
                        changed = true;
                    }
                }
                ChildState::Starting => {
                    // one look, so that the others need not wait for this one
                    let looked = timeout(Duration::from_secs(1), readiness::look(http, &plan.ready)).await;
                    if looked.is_ok_and(|looked| looked.is_ok()) {
                        child.state = ChildState::Up;
                        self.progress.step(plan.name, &format!("is up again at {}", plan.place));
                        changed = true;
                    }
                }
                ChildState::Up => {}
            }
        }
        if changed { self.tell() } else { Ok(()) }
    }

    fn tell(&self) -> anyhow::Result<()> {
        running::write(&self.file, &self.running)
    }
}

fn databases(settings: &Settings) -> BTreeMap<String, String> {
    let mut databases = BTreeMap::from([
        ("orders".to_owned(), settings.orders_database.service_url()),
        ("catalog".to_owned(), settings.catalog_database.service_url()),
    ]);
    if settings.store == Store::Local {
        for name in ORDER_SERVICES {
            databases.insert(name.to_owned(), format!("sqlite://{}", settings.local_file(name).display()));
        }
    }
    databases
}
