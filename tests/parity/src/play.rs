//! Plays the steps of one scenario against one worker.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use testkit::kafka_client;

use crate::cluster::Cluster;
use crate::pattern::{lines_match, shown, text_matches};
use crate::records::{lines_of, record_of, stored_match, without_repeated_tombstones};
use crate::request::{Answer, send};
use crate::scenario::{Action, Expected, Repeat, Request, Scenario, Side, Step, StorageTopic};
use crate::variables::Variables;

/// Once something has failed, what follows will probably fail, too, and need not take long about it.
const AFTER_FAILURE: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(150);

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Skipped,
    Failed(String),
}

pub(crate) struct Player<'a> {
    pub(crate) side: Side,
    pub(crate) bootstrap: &'a str,
    pub(crate) cluster: &'a mut Cluster,
    pub(crate) variables: Variables,
    last: Option<Answer>,
    /// How many records of a storage topic about somebody have been seen.
    seen: BTreeMap<(StorageTopic, String), usize>,
    patience: Duration,
}

impl<'a> Player<'a> {
    /// `run` makes the scenario's names different from those of any other run and worker.
    pub(crate) fn new(
        scenario: &Scenario,
        side: Side,
        bootstrap: &'a str,
        run: &str,
        folder: &PathBuf,
        cluster: &'a mut Cluster,
    ) -> Result<Player<'a>, String> {
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let mut variables = Variables::default();
        let name = format!("{}-{run}", scenario.name);
        variables.set("t", format!("{name}-t"));
        variables.set("c", name);
        variables.set("dir", folder.display().to_string());
        variables.set("bootstrap", bootstrap);
        variables.set("group", cluster.group.clone());
        for worker in ["w1", "w2", "w3"] {
            variables.set(worker, cluster.address(worker));
        }
        let seen = BTreeMap::new();
        Ok(Player { side, bootstrap, cluster, variables, last: None, seen, patience: scenario.patience })
    }

    /// Plays every step, whatever fails.
    pub(crate) async fn play(&mut self, scenario: &Scenario) -> Vec<(Outcome, Duration)> {
        let mut outcomes = Vec::new();
        for step in &scenario.steps {
            let started = tokio::time::Instant::now();
            let outcome = match step.expected(self.side) {
                Expected::Skip => Outcome::Skipped,
                expected => match self.step(step, expected).await {
                    Ok(()) => Outcome::Ok,
                    Err(fault) => {
                        self.patience = self.patience.min(AFTER_FAILURE);
                        let ended = self.cluster.ended().map(|text| format!("\n{text}")).unwrap_or_default();
                        Outcome::Failed(format!("{fault}{ended}"))
                    }
                },
            };
            outcomes.push((outcome, started.elapsed()));
        }
        outcomes
    }

    async fn step(&mut self, step: &Step, expected: &Expected) -> Result<(), String> {
        let fill = |text: &str| self.variables.fill(text);
        match &step.action {
            Action::Request(request) => self.request(request, expected).await,
            Action::Write { path, text, append } => write(&fill(path)?, &fill(text)?, *append),
            Action::Delete { path } => std::fs::remove_file(fill(path)?).map_err(|error| error.to_string()),
            Action::Move { from, to } => {
                std::fs::rename(fill(from)?, fill(to)?).map_err(|error| error.to_string())
            }
            Action::File { path } => {
                let path = fill(path)?;
                self.until_right(expected, async |expected| match (expected, std::fs::read(&path)) {
                    (Expected::Absent, Err(_)) => Ok(()),
                    (Expected::Lines(lines), Ok(bytes)) => {
                        let text = String::from_utf8_lossy(&bytes);
                        let actual: Vec<String> = text.lines().map(str::to_owned).collect();
                        lines_match(lines, &actual)
                    }
                    (_, Ok(bytes)) => Err(format!("{path} is there: {:?}", String::from_utf8_lossy(&bytes))),
                    (_, Err(error)) => Err(format!("cannot read {path}: {error}")),
                })
                .await
            }
            Action::CreateTopic { topic, partitions } => {
                let made = kafka_client::create_topic(self.bootstrap, &fill(topic)?, *partitions, &[]).await;
                made.map_err(|error| format!("{error:#}"))
            }
            Action::Produce { topic, records } => {
                let (topic, records) = (fill(topic)?, self.variables.fill_all(records)?);
                let records: Vec<_> = records.iter().map(|line| record_of(line)).collect();
                let written = kafka_client::produce_all(self.bootstrap, &topic, records).await;
                written.map(drop).map_err(|error| format!("{error:#}"))
            }
            Action::Topic { topic, headers } => {
                let (bootstrap, topic) = (self.bootstrap, fill(topic)?);
                self.until_right(expected, async |expected| {
                    let messages = kafka_client::consume_all(bootstrap, &topic).await;
                    let messages = messages.map_err(|error| format!("{error:#}"))?;
                    let actual: Vec<String> =
                        messages.iter().flat_map(|message| lines_of(message, *headers)).collect();
                    lines_match(lines(expected), &actual)
                })
                .await
            }
            Action::Stored { topic, about } => {
                let about = fill(about)?;
                self.stored(*topic, about, expected).await
            }
            Action::Group { group, topic } => {
                let (bootstrap, group, topic) = (self.bootstrap, fill(group)?, fill(topic)?);
                self.until_right(expected, async |expected| {
                    let offsets = kafka_client::committed(bootstrap, &group, &topic).await;
                    let offsets: BTreeMap<_, _> =
                        offsets.map_err(|error| format!("{error:#}"))?.into_iter().collect();
                    let actual: Vec<_> = offsets.iter().map(|(p, offset)| format!("{p} {offset}")).collect();
                    lines_match(lines(expected), &actual)
                })
                .await
            }
            Action::Members { count } => {
                let (bootstrap, group) = (self.bootstrap, self.cluster.group.clone());
                self.until_right(expected, async |_| {
                    let found = kafka_client::group(bootstrap, &group).await;
                    let found = found.map_err(|error| format!("{error:#}"))?;
                    let there = found.state == "Stable" && found.members == *count;
                    if there { Ok(()) } else { Err(format!("{found:?}")) }
                })
                .await
            }
            Action::Spread => {
                let running = self.cluster.running();
                self.until_right(expected, async |expected| {
                    let (_, address) = running.first().ok_or("no worker runs")?;
                    let url = format!("http://{address}/connectors?expand=status");
                    let answer = send("GET", &url, &[], String::new()).await?;
                    let status = answer.json().ok_or_else(|| format!("{answer:?}"))?;
                    lines_match(lines(expected), &spread(&running, &status))
                })
                .await
            }
            Action::Start { worker, properties, standalone: None } => {
                self.cluster.start(worker, properties).await
            }
            Action::Start { worker, standalone: Some(files), .. } => {
                let files = self.variables.fill_all(files)?;
                self.cluster.start_standalone(worker, &files).await
            }
            Action::Run { arguments } => {
                let arguments = self.variables.fill_all(arguments)?;
                let (code, said) = self.cluster.run_standalone(&arguments).await?;
                self.exit(expected, code, &said)
            }
            Action::Stop { worker } => {
                let (code, said) = self.cluster.stop(worker).await?;
                if *expected == Expected::Done { Ok(()) } else { self.exit(expected, code, &said) }
            }
            Action::Kill { worker } => self.cluster.kill(worker),
            Action::Let { name, pointer } => {
                let body = self.last.as_ref().and_then(Answer::json);
                let value = body.as_ref().and_then(|body| body.pointer(pointer));
                let value =
                    value.ok_or_else(|| format!("no {pointer} in the last answer: {:?}", self.last))?;
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                self.variables.set(name, text);
                Ok(())
            }
            Action::Wait { time } => {
                tokio::time::sleep(*time).await;
                Ok(())
            }
        }
    }

    async fn request(&mut self, request: &Request, expected: &Expected) -> Result<(), String> {
        let address = self.cluster.address(&request.worker);
        let url = format!("http://{address}{}", self.variables.fill(&request.path)?);
        let body = self.variables.fill(&request.body)?;
        let mut headers = request.headers.clone();
        for (_, value) in &mut headers {
            *value = self.variables.fill(value)?;
        }
        let deadline = tokio::time::Instant::now() + self.patience;
        loop {
            let answer = send(&request.method, &url, &headers, body.clone()).await;
            let fault = match answer {
                Ok(answer) => {
                    let checked = answer.check(expected, &self.variables);
                    let again = match request.repeat {
                        Repeat::UntilRight => true,
                        Repeat::WhileRebalancing => answer.is_rebalance(),
                        Repeat::Never => false,
                    };
                    self.last = Some(answer);
                    match checked {
                        Ok(()) => return Ok(()),
                        Err(fault) if !again => return Err(fault),
                        Err(fault) => fault,
                    }
                }
                Err(fault) if request.repeat == Repeat::UntilRight => fault,
                Err(fault) => return Err(fault),
            };
            if tokio::time::Instant::now() >= deadline {
                return Err(fault);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Repeats `probe` with the expectation, its variables filled in, until it is met.
    async fn until_right(
        &self,
        expected: &Expected,
        mut probe: impl AsyncFnMut(&Expected) -> Result<(), String>,
    ) -> Result<(), String> {
        let expected = match expected {
            Expected::Lines(lines) => Expected::Lines(self.variables.fill_all(lines)?),
            other => other.clone(),
        };
        let deadline = tokio::time::Instant::now() + self.patience;
        loop {
            match probe(&expected).await {
                Ok(()) => return Ok(()),
                Err(fault) if tokio::time::Instant::now() >= deadline => return Err(fault),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    async fn stored(
        &mut self,
        topic: StorageTopic,
        about: String,
        expected: &Expected,
    ) -> Result<(), String> {
        let [configs, offsets, statuses] = self.cluster.storage();
        let name = match topic {
            StorageTopic::Configs => configs,
            StorageTopic::Offsets => offsets,
            StorageTopic::Statuses => statuses,
        };
        let (bootstrap, by_key) = (self.bootstrap, topic == StorageTopic::Statuses);
        let seen = self.seen.get(&(topic, about.clone())).copied().unwrap_or_default();
        let mut total = seen;
        let checked = self
            .until_right(expected, async |expected| {
                let messages = kafka_client::consume_all(bootstrap, &name).await;
                let messages = messages.map_err(|error| format!("{error:#}"))?;
                let news: Vec<String> = messages
                    .iter()
                    .filter(|message| message.key_str().is_some_and(|key| key.contains(&about)))
                    .skip(seen)
                    .flat_map(|message| lines_of(message, false))
                    .collect();
                total = seen + news.len();
                stored_match(lines(expected), &without_repeated_tombstones(news), by_key)
            })
            .await;
        self.seen.insert((topic, about), total);
        checked
    }

    fn exit(&self, expected: &Expected, code: i32, said: &str) -> Result<(), String> {
        let Expected::Exit { code: wanted, says } = expected else {
            return Err("the step expects no exit code".to_owned());
        };
        let end = || {
            let lines: Vec<String> = said.lines().map(str::to_owned).collect();
            shown(&lines[lines.len().saturating_sub(12)..])
        };
        if code != *wanted {
            return Err(format!("exit {wanted} expected, got {code}; it said\n{}", end()));
        }
        for line in self.variables.fill_all(says)? {
            let wanted = format!("<any>{line}<any>");
            let mut found = false;
            for said in said.lines() {
                found |= text_matches(&wanted, said)?;
            }
            if !found {
                return Err(format!("no line with {line:?} in what it said\n{}", end()));
            }
        }
        Ok(())
    }
}

fn lines(expected: &Expected) -> &[String] {
    match expected {
        Expected::Lines(lines) => lines,
        _ => &[],
    }
}

fn write(path: &str, text: &str, append: bool) -> Result<(), String> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(append).write(true).truncate(!append);
    let written = options.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("cannot write {path}: {error}"))
}

/// A line per worker, and one for what runs nowhere.
fn spread(running: &[(String, String)], status: &Value) -> Vec<String> {
    let places = |kind: &str| -> Vec<(bool, String)> {
        let of_connector = |status: &Value| match kind {
            "connector" => vec![status["status"]["connector"].clone()],
            _ => status["status"]["tasks"].as_array().cloned().unwrap_or_default(),
        };
        let all = status.as_object().into_iter().flat_map(|all| all.values()).flat_map(of_connector);
        all.map(|part| {
            (part["state"] == "RUNNING", part["worker_id"].as_str().unwrap_or_default().to_owned())
        })
        .collect()
    };
    let (connectors, tasks) = (places("connector"), places("task"));
    let mut lines: Vec<String> = running
        .iter()
        .map(|(name, address)| {
            let count = |places: &[(bool, String)]| {
                places.iter().filter(|(runs, place)| *runs && place == address).count()
            };
            format!("{name} {} connectors {} tasks", count(&connectors), count(&tasks))
        })
        .collect();
    let lost =
        |(runs, place): &&(bool, String)| !runs || !running.iter().any(|(_, address)| address == place);
    let nowhere = connectors.iter().chain(&tasks).filter(lost).count();
    if nowhere > 0 {
        lines.push(format!("nowhere {nowhere}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn work_is_counted_by_worker() {
        let running = [("w1".to_owned(), "h:1".to_owned()), ("w2".to_owned(), "h:2".to_owned())];
        let part = |state: &str, worker: &str| json!({"state": state, "worker_id": worker});
        let status = json!({
            "a": {"status": {"connector": part("RUNNING", "h:1"), "tasks": [part("RUNNING", "h:2"), part("FAILED", "h:2")]}},
            "b": {"status": {"connector": part("RUNNING", "h:3"), "tasks": []}},
        });
        let expected = ["w1 1 connectors 0 tasks", "w2 0 connectors 1 tasks", "nowhere 2"];
        assert_eq!(spread(&running, &status), expected);
    }
}
