//! A connector that runs here: not its tasks, but what says which tasks there are to be.

use super::describe::{Described, Tasks, first_secrets, trace};
use super::guard;
use super::report::{Report, Subject};
use super::{RunStatus, WorkerEvent, WorkerParts};
use crate::herder::{ConnectorType, TargetState};
use connect_api::ConfigMap;
use futures::future::BoxFuture;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

enum Command {
    Target(TargetState),
    Reconfigure,
}

pub(super) struct RunningConnector {
    report: Arc<Report>,
    /// Its end is the actor's.
    commands: mpsc::UnboundedSender<Command>,
}

impl RunningConnector {
    pub(super) fn start(
        runtime: &Handle,
        parts: Arc<WorkerParts>,
        events: mpsc::UnboundedSender<WorkerEvent>,
        run: u64,
        name: &str,
        config: ConfigMap,
        target: TargetState,
    ) -> Self {
        let secrets = first_secrets(&config);
        let report = Arc::new(Report::new(Subject::Connector(name.to_owned()), run, secrets, events));
        let (commands, receiver) = mpsc::unbounded_channel();
        let actor = Actor {
            name: name.to_owned(),
            parts,
            config: Arc::new(config),
            report: report.clone(),
            phase: Phase::New,
            call: None,
            watch: None,
        };
        runtime.spawn(actor.run(target, receiver));
        Self { report, commands }
    }

    pub(super) fn set_target(&self, target: TargetState) {
        let _ = self.commands.send(Command::Target(target));
    }

    pub(super) fn reconfigure(&self) {
        let _ = self.commands.send(Command::Reconfigure);
    }

    /// A connector holds nothing that has to be let go of, so its end waits for nobody; a call that is under way is left behind.
    pub(super) fn end(self) {
        self.report.status(RunStatus::Ended);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// Its configuration has not been understood yet.
    New,
    Running,
    Paused,
    Stopped,
    Failed,
}

/// Its tasks, if they were asked for.
type Answer = Result<Option<Tasks>, String>;

/// The plugin's own watch over its tasks, which is given up when this is dropped. A task of the runtime, so that its panic is not ours.
struct Watch(JoinHandle<()>);

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Actor {
    name: String,
    parts: Arc<WorkerParts>,
    config: Arc<ConfigMap>,
    report: Arc<Report>,
    phase: Phase,
    /// The call into the plugin that is under way, and what is to be when it succeeds.
    call: Option<(TargetState, BoxFuture<'static, Answer>)>,
    /// While it runs.
    watch: Option<Watch>,
}

impl Actor {
    async fn run(mut self, target: TargetState, mut commands: mpsc::UnboundedReceiver<Command>) {
        self.aim_at(target);
        loop {
            let answer = async {
                match &mut self.call {
                    Some((target, call)) => (*target, call.await),
                    None => std::future::pending().await,
                }
            };
            let news = async {
                match &mut self.watch {
                    Some(Watch(watch)) => watch.await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    None => return,
                    Some(Command::Target(target)) => self.aim_at(target),
                    Some(Command::Reconfigure) if self.phase == Phase::Running => {
                        self.ask(TargetState::Started);
                    }
                    // It is told when it starts.
                    Some(Command::Reconfigure) => {}
                },
                (target, answer) = answer => {
                    self.call = None;
                    self.settle(target, answer);
                }
                news = news => {
                    self.watch = None;
                    match news {
                        Ok(()) => self.ask(TargetState::Started),
                        Err(failure) => self.fail(&guard::failure_of(failure).to_string()),
                    }
                }
            }
        }
    }

    fn aim_at(&mut self, target: TargetState) {
        match (target, self.phase) {
            // What has failed is started again, or stopped; a pause or its end change nothing.
            (TargetState::Started | TargetState::Paused, Phase::Failed) => {}
            (TargetState::Started, _) | (_, Phase::New) => self.ask(target),
            (TargetState::Paused | TargetState::Stopped, _) => {
                self.call = None;
                self.arrive(target);
            }
        }
    }

    /// Begins a call; one that is under way is left behind.
    fn ask(&mut self, target: TargetState) {
        let (parts, config, report) = (self.parts.clone(), self.config.clone(), self.report.clone());
        let deadlines = parts.deadlines;
        let stored = config.clone();
        let describe = move || {
            Described::read(&parts, &config, |secrets| report.set_secrets(secrets.clone()))?.checked()
        };
        let call = async move {
            let described =
                guard::call(deadlines.local, describe).await.map_err(|failure| failure.to_string())?;
            let described = described.map_err(|error| trace(&error))?;
            if target != TargetState::Started {
                return Ok(None);
            }
            let deadline = match described.plugin.ty() {
                ConnectorType::Sink => deadlines.local,
                ConnectorType::Source => deadlines.task_configs,
            };
            match guard::call_async(deadline, async move { Tasks::read(described, &stored).await }).await {
                Ok(answer) => answer.map(Some).map_err(|error| trace(&error)),
                Err(failure) => Err(failure.to_string()),
            }
        };
        self.call = Some((target, Box::pin(call)));
    }

    fn settle(&mut self, target: TargetState, answer: Answer) {
        match answer {
            Err(why) => self.fail(&why),
            Ok(tasks) => {
                self.arrive(target);
                if let Some(Tasks { configs, watch }) = tasks {
                    let connector = self.name.clone();
                    self.report.tell(|run| WorkerEvent::TaskConfigs { run, connector, configs });
                    self.watch = Some(Watch(tokio::spawn(watch)));
                }
            }
        }
    }

    fn fail(&mut self, why: &str) {
        self.watch = None;
        self.phase = Phase::Failed;
        self.report.failed(why);
    }

    fn arrive(&mut self, target: TargetState) {
        let (phase, status) = match target {
            TargetState::Started => (Phase::Running, RunStatus::Running),
            TargetState::Paused => (Phase::Paused, RunStatus::Paused),
            TargetState::Stopped => (Phase::Stopped, RunStatus::Stopped),
        };
        self.watch = None;
        self.phase = phase;
        self.report.status(status);
    }
}
