//! The lessons of `docs/lessons`: every command is run, and its output compared with what the lesson promises. How a
//! lesson is written is described in `docs/lessons/README.md`.

mod expected;
mod markdown;
mod shell;

use anyhow::{Context as _, bail};
use markdown::{Block, Kind};
use shell::Shell;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const LESSONS: [&str; 5] = [
    "01-one-service.md",
    "02-two-truths.md",
    "03-order-as-event.md",
    "04-the-sink.md",
    "05-when-things-die.md",
];
const LANGUAGES: [&str; 2] = ["en", "ko"];

const UNTIL_UP: Duration = Duration::from_secs(90);
const UNTIL_EXPECTED: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(250);

fn file(language: &str, name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("docs/lessons").join(language).join(name)
}

fn read(language: &str, name: &str) -> anyhow::Result<Vec<Block>> {
    let file = file(language, name);
    let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
    let blocks = markdown::blocks(&text).with_context(|| format!("in {}", file.display()))?;
    assert!(!blocks.is_empty(), "{} has no commands", file.display());
    Ok(blocks)
}

/// Runs the lesson in English. The other language has the same commands and outputs, see below.
async fn run(number: usize) -> anyhow::Result<()> {
    let name = LESSONS[number];
    let mut shell = Shell::new(number)?;
    for block in read("en", name)? {
        let done = match block.kind {
            Kind::Background => background(&mut shell, &block).await,
            Kind::Once => once(&shell, &block).await,
            Kind::Eventually => eventually(&shell, &block).await,
        };
        done.with_context(|| format!("{name}, line {}:\n{}", block.line, block.script))?;
    }
    shell.end().await
}

async fn background(shell: &mut Shell, block: &Block) -> anyhow::Result<()> {
    shell.start(&block.script);
    let deadline = Instant::now() + UNTIL_UP;
    loop {
        let Err(difference) = shell.compare(block, &shell.printed()) else { return Ok(()) };
        if shell.ended() || Instant::now() > deadline {
            return Err(difference);
        }
        sleep(PAUSE).await;
    }
}

async fn once(shell: &Shell, block: &Block) -> anyhow::Result<()> {
    let (status, output) = shell.run(&block.script).await?;
    if !status.success() {
        bail!("it ended with {status} and printed:\n{output}");
    }
    shell.compare(block, &output)
}

async fn eventually(shell: &Shell, block: &Block) -> anyhow::Result<()> {
    let deadline = Instant::now() + UNTIL_EXPECTED;
    loop {
        let (_, output) = shell.run(&block.script).await?;
        let Err(difference) = shell.compare(block, &output) else { return Ok(()) };
        if Instant::now() > deadline {
            return Err(difference);
        }
        sleep(PAUSE).await;
    }
}

#[tokio::test]
async fn one_service() -> anyhow::Result<()> {
    run(0).await
}

#[tokio::test]
async fn two_truths() -> anyhow::Result<()> {
    run(1).await
}

#[tokio::test]
async fn order_as_event() -> anyhow::Result<()> {
    run(2).await
}

#[tokio::test]
async fn the_sink() -> anyhow::Result<()> {
    run(3).await
}

#[tokio::test]
async fn when_things_die() -> anyhow::Result<()> {
    run(4).await
}

#[test]
fn both_languages_have_the_same_lessons() -> anyhow::Result<()> {
    for language in LANGUAGES {
        let folder = file(language, "");
        let entries = std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
        let mut names: Vec<String> = entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<anyhow::Result<_>>()?;
        names.sort();
        assert_eq!(names, LESSONS, "the lessons in {}", folder.display());
    }
    Ok(())
}

/// What runs in one language runs in the other.
#[test]
fn both_languages_have_the_same_commands() -> anyhow::Result<()> {
    for name in LESSONS {
        let [english, korean] = [read("en", name)?, read("ko", name)?];
        for (ours, theirs) in english.iter().zip(&korean) {
            assert_eq!(
                (ours.kind, &ours.script, &ours.expected),
                (theirs.kind, &theirs.script, &theirs.expected),
                "{name}: line {} in English, line {} in Korean",
                ours.line,
                theirs.line
            );
        }
        assert_eq!(english.len(), korean.len(), "{name}: the number of commands");
    }
    Ok(())
}
