//! A connector that runs here: not its tasks, but what says which tasks there are to be.

use super::describe::{Described, first_secrets, trace};
use super::guard;
use super::report::{Report, Subject};
use super::{RunStatus, WorkerEvent, WorkerParts};
use crate::herder::TargetState;
use connect_api::{ConfigMap, ConnectError};
use futures::future::BoxFuture;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

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

/// Its tasks' configurations, if they were asked for.
type Answer = Result<Option<Vec<ConfigMap>>, String>;

struct Actor {
    name: String,
    parts: Arc<WorkerParts>,
    config: Arc<ConfigMap>,
    report: Arc<Report>,
    phase: Phase,
    /// The call into the plugin that is under way, and what is to be when it succeeds.
    call: Option<(TargetState, BoxFuture<'static, Answer>)>,
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
        let deadline = parts.deadlines.local;
        let describe = move || -> Result<Option<Vec<ConfigMap>>, ConnectError> {
            let described =
                Described::read(&parts, &config, |secrets| report.set_secrets(secrets.clone()))?.checked()?;
            match target {
                TargetState::Started => described.task_configs(&config).map(Some),
                TargetState::Paused | TargetState::Stopped => Ok(None),
            }
        };
        let call = async move {
            match guard::call(deadline, describe).await {
                Ok(answer) => answer.map_err(|error| trace(&error)),
                Err(failure) => Err(failure.to_string()),
            }
        };
        self.call = Some((target, Box::pin(call)));
    }

    fn settle(&mut self, target: TargetState, answer: Answer) {
        match answer {
            Err(why) => {
                self.phase = Phase::Failed;
                self.report.failed(&why);
            }
            Ok(configs) => {
                self.arrive(target);
                if let Some(configs) = configs {
                    let connector = self.name.clone();
                    self.report.tell(|run| WorkerEvent::TaskConfigs { run, connector, configs });
                }
            }
        }
    }

    fn arrive(&mut self, target: TargetState) {
        let (phase, status) = match target {
            TargetState::Started => (Phase::Running, RunStatus::Running),
            TargetState::Paused => (Phase::Paused, RunStatus::Paused),
            TargetState::Stopped => (Phase::Stopped, RunStatus::Stopped),
        };
        self.phase = phase;
        self.report.status(status);
    }
}
