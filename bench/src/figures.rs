//! What is measured, and what the project promises of it.

/// Named once here; a phase pushes its samples under the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Figure {
    FirstStart,
    Ready,
    Healthy,
    FirstTask,
    FirstRecord,
    StartCpu,
    IdleRss,
    IdlePss,
    IdleThreads,
    IdleCpu,
    CreateAnswered,
    CreateRunning,
    CreatePeak,
    CreateRss,
    CreateThreads,
    CreateCpu,
    ManyIdleCpu,
    KillMoved,
    KillRecords,
    KillSilence,
    KillCpu,
    StopMoved,
    StopRecords,
    StopSilence,
    StopExit,
    StopCpu,
    LinesLost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    MiB,
    Count,
}

/// What is asked of our worker's median.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Target {
    /// Less than this, in the figure's unit.
    Below(f64),
    /// Less than this part of the other side's median.
    PartOfJava(f64),
    /// Nothing at all, in every run.
    Zero,
}

pub(crate) struct Meaning {
    pub(crate) figure: Figure,
    /// Stable, for the JSON file.
    pub(crate) id: &'static str,
    pub(crate) unit: Unit,
    pub(crate) target: Option<Target>,
    pub(crate) text: &'static str,
}

/// The session timeout of both workers' default settings, the delay that both are started with, and what the project grants itself.
const TAKEN_OVER: Target = Target::Below(10.0 + 10.0 + 2.0);

/// In the order of the report.
pub(crate) const TABLE: &[Meaning] = {
    use Figure as F;
    use Target::{Below, PartOfJava, Zero};
    use Unit::{Count, MiB, Seconds};
    const fn row(
        figure: Figure,
        id: &'static str,
        unit: Unit,
        target: Option<Target>,
        text: &'static str,
    ) -> Meaning {
        Meaning { figure, id, unit, target, text }
    }
    &[
        row(
            F::FirstStart,
            "ready.first_start",
            Seconds,
            None,
            "exec to healthy, a cluster's first start: its topics are made",
        ),
        row(F::Ready, "ready.rest", Seconds, Some(Below(0.3)), "exec to REST: GET /connectors is 200"),
        row(F::Healthy, "ready.health", Seconds, Some(Below(0.3)), "exec to healthy: GET /health is 200"),
        row(
            F::FirstTask,
            "ready.task",
            Seconds,
            Some(Below(1.5)),
            "exec to the stored connector's task RUNNING",
        ),
        row(F::FirstRecord, "ready.record", Seconds, None, "exec to that task's first record in its topic"),
        row(F::StartCpu, "ready.cpu", Seconds, None, "CPU from exec until the task runs"),
        row(F::IdleRss, "idle.rss", MiB, Some(Below(25.0)), "RSS without connectors, 10 s after healthy"),
        row(F::IdlePss, "idle.pss", MiB, None, "PSS of the same"),
        row(F::IdleThreads, "idle.threads", Count, None, "threads of the same"),
        row(F::IdleCpu, "idle.cpu", Seconds, None, "CPU in those 10 s"),
        row(
            F::CreateAnswered,
            "create.answered",
            Seconds,
            None,
            "connectors created by REST one by one: all POSTs answered",
        ),
        row(
            F::CreateRunning,
            "create.running",
            Seconds,
            Some(PartOfJava(0.1)),
            "first POST to all of their tasks RUNNING",
        ),
        row(F::CreatePeak, "create.peak", MiB, Some(PartOfJava(0.1)), "peak RSS of the worker until then"),
        row(F::CreateRss, "create.rss", MiB, None, "RSS with all of them running, 10 s later"),
        row(F::CreateThreads, "create.threads", Count, None, "threads of the same"),
        row(F::CreateCpu, "create.cpu", Seconds, None, "CPU from the first POST until all run"),
        row(F::ManyIdleCpu, "create.idle_cpu", Seconds, None, "CPU in those 10 s, no file growing"),
        row(
            F::KillMoved,
            "kill.moved",
            Seconds,
            Some(TAKEN_OVER),
            "kill -9 of one of two: its tasks RUNNING on the other",
        ),
        row(
            F::KillRecords,
            "kill.records",
            Seconds,
            Some(TAKEN_OVER),
            "kill -9: records of each of its growing files from the other",
        ),
        row(F::KillSilence, "kill.silence", Seconds, None, "kill -9: longest silence of one of its files"),
        row(F::KillCpu, "kill.cpu", Seconds, None, "CPU of the other in that time"),
        row(
            F::StopMoved,
            "stop.moved",
            Seconds,
            Some(Below(2.0)),
            "SIGTERM to one of two: its tasks RUNNING on the other",
        ),
        row(
            F::StopRecords,
            "stop.records",
            Seconds,
            Some(Below(2.0)),
            "SIGTERM: records of each of its growing files from the other",
        ),
        row(F::StopSilence, "stop.silence", Seconds, None, "SIGTERM: longest silence of one of its files"),
        row(F::StopExit, "stop.exit", Seconds, None, "SIGTERM to the end of the process"),
        row(F::StopCpu, "stop.cpu", Seconds, None, "CPU of the other until the records flow"),
        row(F::LinesLost, "lines.lost", Count, Some(Zero), "lines of the growing files that never arrived"),
    ]
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_figure_has_one_row_and_an_id_of_its_own() {
        let figures: BTreeSet<_> = TABLE.iter().map(|row| row.figure).collect();
        let ids: BTreeSet<_> = TABLE.iter().map(|row| row.id).collect();
        assert_eq!((figures.len(), ids.len()), (TABLE.len(), TABLE.len()));
    }
}
