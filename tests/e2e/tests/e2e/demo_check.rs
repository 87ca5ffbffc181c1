//! `cargo demo -- --check`, the whole story with everything killed once, on each set of engines.

use std::process::Command;
use std::time::Duration;
use testkit::Process;

async fn check(args: &[&str]) -> anyhow::Result<()> {
    let mut demo = Process::spawn("demo", Command::new(testkit::bin("demo")).arg("--check").args(args));
    let status = demo.wait_exit(Duration::from_secs(300)).await?;
    assert!(status.success(), "{status}\n{}", demo.log());
    assert!(demo.log().contains("0 lost, 0 doubled, stock exact"), "{}", demo.log());
    Ok(())
}

#[tokio::test]
async fn holds_on_the_embedded_engines() -> anyhow::Result<()> {
    check(&[]).await
}

#[tokio::test]
async fn holds_on_kafka_and_mariadb() -> anyhow::Result<()> {
    let kafka = testkit::kafka()?;
    let database = testkit::mariadb()?.url_root;
    check(&["--kafka", &kafka, "--database", &database]).await
}

#[tokio::test]
async fn holds_on_kafka_and_postgresql() -> anyhow::Result<()> {
    let kafka = testkit::kafka()?;
    let database = testkit::postgres()?.url_root;
    check(&["--kafka", &kafka, "--database", &database]).await
}
