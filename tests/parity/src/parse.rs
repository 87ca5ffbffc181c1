//! Scenario files: the grammar is in the README.

use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::scenario::{Action, Body, Expected, Repeat, Request, Scenario, Step, StorageTopic, Workers};

const METHODS: [&str; 7] = ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "HEAD"];

/// A line with its number.
type Line<'a> = (usize, &'a str);

pub(crate) fn parse(name: &str, text: &str) -> anyhow::Result<Scenario> {
    let lines: Vec<Line<'_>> = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim_end())).collect();
    let first = lines.iter().position(|(_, line)| line.starts_with("== ")).unwrap_or(lines.len());
    let (head, steps) = lines.split_at(first);
    let mut scenario = Scenario {
        name: name.to_owned(),
        title: String::new(),
        workers: Workers::Shared,
        patience: Duration::from_secs(20),
        steps: Vec::new(),
    };
    for (n, line) in head {
        header(&mut scenario, line).with_context(|| format!("{name}:{n}"))?;
    }
    ensure!(!scenario.title.is_empty(), "{name}: the line `scenario TITLE` is missing");
    let starts: Vec<usize> =
        (0..steps.len()).filter(|n| steps[*n].1.starts_with("== ")).chain([steps.len()]).collect();
    for pair in starts.windows(2) {
        let lines = &steps[pair[0]..pair[1]];
        scenario.steps.push(step(lines).with_context(|| format!("{name}:{}", lines[0].0))?);
    }
    ensure!(!scenario.steps.is_empty(), "{name}: no steps");
    Ok(scenario)
}

fn header(scenario: &mut Scenario, line: &str) -> anyhow::Result<()> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "" => {}
        _ if word.starts_with('#') => {}
        "scenario" => scenario.title = rest.to_owned(),
        "patience" => {
            scenario.patience = Duration::from_secs(rest.parse().context("not a number of seconds")?)
        }
        "workers" if rest == "own" => scenario.workers = Workers::Own(Vec::new()),
        "workers" if rest == "shared" => {}
        "with" => {
            let Workers::Own(properties) = &mut scenario.workers else {
                bail!("`with` needs `workers own` before it");
            };
            properties.push(property(rest)?);
        }
        _ => bail!("unknown line {line:?}: scenario, workers, with, patience, or a comment with #"),
    }
    Ok(())
}

fn property(text: &str) -> anyhow::Result<(String, String)> {
    let (key, value) = text.split_once('=').with_context(|| format!("{text:?} is not key=value"))?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

fn step(lines: &[Line<'_>]) -> anyhow::Result<Step> {
    let (line, title) = lines[0];
    let mut title = title[3..].trim().to_owned();
    let mut findings = Vec::new();
    if let Some((before, ids)) = title.strip_suffix(']').and_then(|rest| rest.rsplit_once(" [")) {
        findings = ids.split([' ', ',']).filter(|id| !id.is_empty()).map(str::to_owned).collect();
        title = before.to_owned();
    }
    let body: Vec<Line<'_>> =
        lines[1..].iter().copied().skip_while(|(_, line)| line.is_empty() || line.starts_with('#')).collect();
    let arrow = |line: &str| {
        ["->", "java ->", "ours ->"].iter().any(|a| line == *a || line.starts_with(&format!("{a} ")))
    };
    let starts: Vec<usize> = (0..body.len()).filter(|n| arrow(body[*n].1)).chain([body.len()]).collect();
    let (command, block) = body[..starts[0]].split_first().context("a step without a command")?;
    let action = action(command.1, &trimmed(block))?;
    let (mut java, mut ours) = (None, None);
    for pair in starts.windows(2) {
        let section = &body[pair[0]..pair[1]];
        let (who, head) = section[0].1.split_once("->").unwrap_or_default();
        let expected = expected(&action, head.trim(), &trimmed(&section[1..]))
            .with_context(|| format!("line {}", section[0].0))?;
        let repeated = match who.trim() {
            "java" => java.replace(expected).is_some(),
            "ours" => ours.replace(expected).is_some(),
            _ => java.replace(expected.clone()).is_some() | ours.replace(expected).is_some(),
        };
        ensure!(!repeated, "line {}: a second expectation for the same worker", section[0].0);
    }
    let (java, ours) = match (java, ours) {
        (None, None) => {
            let done = expected(&action, "", &[])?;
            (done.clone(), done)
        }
        (Some(java), Some(ours)) => (java, ours),
        _ => bail!(
            "an expectation for one worker only: give the other one, too (`-> skip` when it is not played)"
        ),
    };
    match (java == ours, findings.is_empty()) {
        (false, true) => bail!("the workers differ without a finding: `== TITLE [F001]`"),
        (true, false) => bail!("a finding is named, but the same is expected of both workers"),
        _ => {}
    }
    Ok(Step { line, title, findings, action, java, ours })
}

/// The lines of a block without comments and without empty lines at its end.
fn trimmed<'a>(lines: &[Line<'a>]) -> Vec<&'a str> {
    let mut lines: Vec<&str> =
        lines.iter().map(|(_, line)| *line).filter(|line| !line.starts_with('#')).collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}

fn action(command: &str, block: &[&str]) -> anyhow::Result<Action> {
    let words: Vec<&str> = command.split_whitespace().collect();
    if let Some(request) = request(&words, block)? {
        return Ok(Action::Request(request));
    }
    let owned = |word: &&str| (*word).to_owned();
    let action = match words.as_slice() {
        ["write" | "append", path] => {
            return Ok(Action::Write { path: owned(path), text: text(block)?, append: words[0] == "append" });
        }
        ["produce", topic] => {
            return Ok(Action::Produce { topic: owned(topic), records: lines(block)? });
        }
        ["start", worker] => {
            let properties = block.iter().map(|line| property(line)).collect::<anyhow::Result<_>>()?;
            return Ok(Action::Start { worker: owned(worker), properties, standalone: None });
        }
        ["start", worker, "standalone", files @ ..] => Action::Start {
            worker: owned(worker),
            properties: Vec::new(),
            standalone: Some(files.iter().map(owned).collect()),
        },
        ["run", "standalone", arguments @ ..] => {
            Action::Run { arguments: arguments.iter().map(owned).collect() }
        }
        ["delete", path] => Action::Delete { path: owned(path) },
        ["move", from, to] => Action::Move { from: owned(from), to: owned(to) },
        ["file", path] => Action::File { path: owned(path) },
        ["create-topic", topic, partitions] => Action::CreateTopic {
            topic: owned(topic),
            partitions: partitions.parse().context("not a number of partitions")?,
        },
        ["topic", topic] => Action::Topic { topic: owned(topic), headers: false },
        ["topic", topic, "headers"] => Action::Topic { topic: owned(topic), headers: true },
        ["configs", about] => Action::Stored { topic: StorageTopic::Configs, about: owned(about) },
        ["offsets", about] => Action::Stored { topic: StorageTopic::Offsets, about: owned(about) },
        ["statuses", about] => Action::Stored { topic: StorageTopic::Statuses, about: owned(about) },
        ["group", group, topic] => Action::Group { group: owned(group), topic: owned(topic) },
        ["members", count] => Action::Members { count: count.parse().context("not a number of workers")? },
        ["spread"] => Action::Spread,
        ["stop", worker] => Action::Stop { worker: owned(worker) },
        ["kill", worker] => Action::Kill { worker: owned(worker) },
        ["let", name, "=", pointer] => Action::Let { name: owned(name), pointer: owned(pointer) },
        ["wait", seconds] => Action::Wait {
            time: Duration::from_secs_f64(seconds.parse().context("not a number of seconds")?),
        },
        _ => bail!("unknown command {command:?}"),
    };
    ensure!(block.is_empty(), "{command:?} takes no lines: {block:?}");
    Ok(action)
}

fn request(words: &[&str], block: &[&str]) -> anyhow::Result<Option<Request>> {
    let (repeat, words) = match words.split_first() {
        Some((&"once", rest)) => (Some(Repeat::Never), rest),
        Some((&"eventually", rest)) => (Some(Repeat::UntilRight), rest),
        _ => (None, words),
    };
    let (worker, words) = match words {
        [worker, rest @ ..] if METHODS.contains(&rest.first().copied().unwrap_or_default()) => {
            (*worker, rest)
        }
        _ => ("w1", words),
    };
    let [method, path] = words else { return Ok(None) };
    if !METHODS.contains(method) {
        return Ok(None);
    }
    ensure!(path.starts_with('/'), "a path begins with /: {path}");
    let is_header = |line: &&&str| {
        line.split_once(": ")
            .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
    };
    let headers: Vec<(String, String)> = block
        .iter()
        .take_while(is_header)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = block[headers.len()..].join("\n");
    let by_method =
        if matches!(*method, "GET" | "HEAD") { Repeat::UntilRight } else { Repeat::WhileRebalancing };
    Ok(Some(Request {
        worker: worker.to_owned(),
        method: (*method).to_owned(),
        path: (*path).to_owned(),
        headers,
        body,
        repeat: repeat.unwrap_or(by_method),
    }))
}

/// `| text` lines; `>` instead of `|` is a last line without its end.
fn text(block: &[&str]) -> anyhow::Result<String> {
    let mut text = String::new();
    for line in block {
        match line.strip_prefix('>') {
            Some(open) => text.push_str(open.strip_prefix(' ').unwrap_or(open)),
            None => {
                text.push_str(&lines(&[line])?[0]);
                text.push('\n');
            }
        }
    }
    Ok(text)
}

fn lines(block: &[&str]) -> anyhow::Result<Vec<String>> {
    block
        .iter()
        .map(|line| {
            let rest = line.strip_prefix('|').with_context(|| format!("{line:?} does not begin with |"))?;
            Ok(rest.strip_prefix(' ').unwrap_or(rest).to_owned())
        })
        .collect()
}

fn expected(action: &Action, head: &str, block: &[&str]) -> anyhow::Result<Expected> {
    if head == "skip" {
        return Ok(Expected::Skip);
    }
    match action {
        Action::Request(_) => answer(head, block),
        Action::File { .. } | Action::Group { .. } if head == "absent" => Ok(Expected::Absent),
        Action::File { .. }
        | Action::Topic { .. }
        | Action::Stored { .. }
        | Action::Group { .. }
        | Action::Spread => {
            ensure!(head.is_empty(), "unknown expectation {head:?}");
            Ok(Expected::Lines(lines(block)?))
        }
        Action::Stop { .. } | Action::Run { .. } if !head.is_empty() => {
            let code = head.strip_prefix("exit ").context("expected `exit CODE`")?;
            Ok(Expected::Exit { code: code.parse().context("not an exit code")?, says: lines(block)? })
        }
        _ => {
            ensure!(head.is_empty() && block.is_empty(), "nothing can be expected of this command");
            Ok(Expected::Done)
        }
    }
}

fn answer(head: &str, block: &[&str]) -> anyhow::Result<Expected> {
    let status = head.parse().with_context(|| format!("{head:?} is not a status code"))?;
    let is_body = |line: &&str| line.starts_with(['{', '[', '"', '|', '<']);
    let start = block.iter().position(is_body).unwrap_or(block.len());
    let headers = block[..start]
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line.split_once(':').with_context(|| format!("{line:?} is no header"))?;
            Ok((name.to_owned(), value.trim().to_owned()))
        })
        .collect::<anyhow::Result<_>>()?;
    let body = &block[start..];
    let body = match body.first() {
        None => Body::Empty,
        Some(&"<any>") if body.len() == 1 => Body::Any,
        Some(first) if first.starts_with('|') => Body::Lines(lines(body)?),
        Some(_) => {
            Body::Json(serde_json::from_str(&body.join("\n")).context("the expected body is not JSON")?)
        }
    };
    Ok(Expected::Answer { status, headers, body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const HEAD: &str = "scenario A title\n";

    fn one(step: &str) -> anyhow::Result<Step> {
        Ok(parse("x", &format!("{HEAD}== {step}"))?.steps.remove(0))
    }

    #[test]
    fn the_head_says_title_workers_and_patience() {
        let text = "# why\nscenario Two workers\nworkers own\nwith a.b=c=d\npatience 40\n\n== s\nwait 0.5\n";
        let scenario = parse("x", text).unwrap();
        assert_eq!(scenario.title, "Two workers");
        assert_eq!(scenario.workers, Workers::Own(vec![("a.b".into(), "c=d".into())]));
        assert_eq!(scenario.patience, Duration::from_secs(40));
        assert_eq!(scenario.steps[0].action, Action::Wait { time: Duration::from_millis(500) });
        assert_eq!(scenario.steps[0].java, Expected::Done);
        assert_eq!(scenario.steps[0].line, 7);
    }

    #[test]
    fn a_request_has_headers_and_a_body_and_an_answer() {
        let step = one(
            "t\nw2 POST /connectors\nAccept: text/html\n{\"a\":\n1}\n\n-> 201\nLocation: <any>\n{\"b\": 2}\n",
        )
        .unwrap();
        let Action::Request(request) = &step.action else { panic!("{:?}", step.action) };
        assert_eq!((request.worker.as_str(), request.method.as_str()), ("w2", "POST"));
        assert_eq!(request.headers, [("Accept".to_owned(), "text/html".to_owned())]);
        assert_eq!(request.body, "{\"a\":\n1}");
        assert_eq!(request.repeat, Repeat::WhileRebalancing);
        let answer = Expected::Answer {
            status: 201,
            headers: vec![("Location".into(), "<any>".into())],
            body: Body::Json(json!({"b": 2})),
        };
        assert_eq!((&step.java, &step.ours), (&answer, &answer));
    }

    #[test]
    fn reading_is_repeated_unless_it_says_once() {
        let repeat = |text: &str| match one(text).unwrap().action {
            Action::Request(request) => request.repeat,
            other => panic!("{other:?}"),
        };
        assert_eq!(repeat("t\nGET /\n-> 200\n<any>"), Repeat::UntilRight);
        assert_eq!(repeat("t\nonce GET /\n-> 200\n<any>"), Repeat::Never);
        assert_eq!(repeat("t\neventually PATCH /x\n-> 200"), Repeat::UntilRight);
    }

    #[test]
    fn a_difference_needs_a_finding_and_a_finding_a_difference() {
        let both = "GET /\njava -> 500\nours -> 400\n";
        let step = one(&format!("t [F001, F002]\n{both}")).unwrap();
        assert_eq!((step.title.as_str(), step.findings), ("t", vec!["F001".to_owned(), "F002".to_owned()]));
        let text = |result: anyhow::Result<Step>| format!("{:#}", result.unwrap_err());
        assert!(text(one(&format!("t\n{both}"))).contains("without a finding"));
        assert!(text(one("t [F001]\nGET /\n-> 200")).contains("the same is expected"));
        assert!(text(one("t [F001]\nGET /\njava -> 200")).contains("one worker only"));
        assert!(text(one("t\nGET /\n-> 200\n-> 300")).contains("second expectation"));
    }

    #[test]
    fn files_and_topics_are_lines() {
        let step = one("t\nwrite $dir/a\n| one\n|  two\n> open\n").unwrap();
        let text = "one\n two\nopen".to_owned();
        assert_eq!(step.action, Action::Write { path: "$dir/a".into(), text, append: false });
        let step = one("t\nfile $dir/a\n->\n| one\n# a comment\n|\n").unwrap();
        assert_eq!(step.java, Expected::Lines(vec!["one".into(), "".into()]));
        assert_eq!(one("t\nfile a\n-> absent").unwrap().java, Expected::Absent);
        assert_eq!(one("t\ntopic a\n->\n").unwrap().java, Expected::Lines(vec![]), "an empty topic");
    }

    #[test]
    fn processes_end_with_a_code() {
        let step = one("t [F9]\nstop w1\njava -> exit 143\nours -> exit 0\n| bye").unwrap();
        assert_eq!(step.java, Expected::Exit { code: 143, says: vec![] });
        assert_eq!(step.ours, Expected::Exit { code: 0, says: vec!["bye".into()] });
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let text = |text: &str| format!("{:#}", parse("x", text).unwrap_err());
        assert_eq!(text("== a\nwait 1"), "x: the line `scenario TITLE` is missing");
        assert!(text("scenario a\nwith b=c").starts_with("x:2: `with` needs"));
        assert!(text("scenario a\n\n== b\nfly").starts_with("x:3: unknown command"));
        assert!(text("scenario a\n== b\nGET /\n-> 200\n{").contains("line 4: the expected body is not JSON"));
        assert!(text("scenario a\n== b\nGET /\n-> abc").contains("not a status code"));
        assert!(text("scenario a\n== b\nwait 1\nmore").contains("takes no lines"));
        assert!(text("scenario a\n").contains("no steps"));
    }
}
