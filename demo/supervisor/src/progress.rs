//! The lines a person reads while things start: when, what, where.

use std::time::Instant;

/// Prints lines with the time since the start.
#[derive(Clone, Copy)]
pub(crate) struct Progress {
    began: Instant,
}

impl Progress {
    pub(crate) fn begin() -> Self {
        Self { began: Instant::now() }
    }

    pub(crate) fn step(&self, what: &str, detail: &str) {
        println!("{:6.1} s  {what:<24} {detail}", self.began.elapsed().as_secs_f64());
    }
}
