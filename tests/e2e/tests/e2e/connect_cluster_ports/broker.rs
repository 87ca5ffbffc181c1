//! A broker of a test's own, to be paused and killed.

use super::LONG;
use crate::support::folder::Folder;
use std::process::Command;
use testkit::{Process, eventually, free_port};

pub(super) struct Broker {
    pub(super) bootstrap: String,
    pub(super) process: Process,
    folder: Folder,
}

impl Broker {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let (port, controller, folder) = (free_port(), free_port(), Folder::new("own-broker")?);
        folder.write(
            "kafka.properties",
            &format!(
                "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
                 controller.listener.names=CONTROLLER\nlisteners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
                 advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
                 listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\nlog.dirs={}\n\
                 offsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\ngroup.initial.rebalance.delay.ms=0\n",
                folder.text("data")
            ),
        )?;
        let format = java()?
            .args(["kafka.tools.StorageTool", "format", "-t", "c3RhbmRhbG9uZXRlc3RrYQ", "-c"])
            .arg(folder.path("kafka.properties"))
            .output()?;
        anyhow::ensure!(format.status.success(), "{}", String::from_utf8_lossy(&format.stderr));
        let process = serve(&folder)?;
        let broker = Self { bootstrap: format!("127.0.0.1:{port}"), process, folder };
        broker.answers().await;
        Ok(broker)
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        self.process.kill9();
    }

    pub(super) async fn start_again(&mut self) -> anyhow::Result<()> {
        self.process = serve(&self.folder)?;
        self.answers().await;
        Ok(())
    }

    async fn answers(&self) {
        eventually("the broker's answer", LONG, async || {
            testkit::kafka_client::topic_exists(&self.bootstrap, "any").await.map(Some)
        })
        .await;
    }
}

fn java() -> anyhow::Result<Command> {
    let mut command = Command::new("java");
    command.args(["-Xmx400m", "-cp"]).arg(testkit::kafka_libs()?.join("*"));
    Ok(command)
}

fn serve(folder: &Folder) -> anyhow::Result<Process> {
    Ok(Process::spawn("own-broker", java()?.arg("kafka.Kafka").arg(folder.path("kafka.properties"))))
}
