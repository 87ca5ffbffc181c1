//! Finds the bad records of a put while it writes the good ones, in one transaction.

mod search;

use super::exactly_once::Advance;
use super::fault::Fault;
use super::write::{Attempt, Failure, WriteError, goes_one_by_one};
use crate::driver::{DbError, ErrorKind};
use connect_api::SinkRecord;
use search::Search;

/// The place in the transaction to go back to.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    NotSet,
    /// Rows were written since.
    Behind,
    /// Nothing was.
    Here,
}

impl Attempt<'_> {
    /// Finds the bad ones among the candidates; the others are written and committed. Each piece is planned anew: of two records
    /// with one key the first is written if the second is bad.
    pub(super) async fn bisect(
        &mut self,
        records: &[SinkRecord],
        candidates: &[usize],
        advance: Option<&Advance>,
    ) -> Result<(), Failure> {
        // What fails here is undone by itself, or up to a mark.
        self.straight = false;
        self.begin(advance).await?;
        self.connection.check_at_once().await?;
        let mut search = Search::new(candidates.len());
        let mut mark = Mark::NotSet;
        while let Some(range) = search.next() {
            let piece = candidates[range].iter().map(|&index| (index, &records[index]));
            let plan = self.planner.plan(&self.context, piece);
            // Known to be what they need, so there is no DDL now.
            let unfit = self.unfit.len();
            let ready = self.prepare(plan.groups).await?;
            if self.unfit.len() > unfit {
                // The rows of that table are left out, and nobody would miss them.
                let message = "a table was changed while its bad rows were looked for";
                return Err(DbError::new(ErrorKind::Transient, message).into());
            }
            let statements: usize = ready.iter().map(|(group, known)| self.split(group, known).len()).sum();
            let undone_by_itself = statements <= 1 && self.connection.undoes_failed_statements();
            if !undone_by_itself && mark != Mark::Here {
                self.connection.mark(mark == Mark::Behind).await?;
                mark = Mark::Here;
            }
            let failure = match self.write_groups(&ready).await {
                Ok(()) => {
                    search.good();
                    mark = if mark == Mark::Here { Mark::Behind } else { mark };
                    continue;
                }
                Err(failure) => failure,
            };
            let again = goes_one_by_one(&failure);
            let of_row =
                matches!(failure.error.kind, ErrorKind::BadRow | ErrorKind::Unknown | ErrorKind::SameKey);
            if !of_row {
                return Err(failure.into());
            }
            if !undone_by_itself && let Err(error) = self.connection.undo().await {
                return Err(transaction_lost(failure, error));
            }
            if again {
                continue;
            }
            if let Some(place) = search.bad() {
                let index = candidates[place];
                let record = &records[index];
                let WriteError { error, shape, .. } = failure;
                let Some(shape) = shape else { return Err(error.into()) };
                let error = if self.context.config.trim_log { error.without_words() } else { error };
                self.faults.push(Fault::of_row(index, record, &shape.table, error));
                self.tolerate()?;
            }
        }
        self.reject_first(records)?;
        self.connection.commit().await.map_err(|mut error| {
            if error.kind == ErrorKind::BadRow {
                // A constraint that speaks at the end, of no row in particular.
                error.kind = ErrorKind::Permanent;
            }
            Failure::from(error)
        })
    }
}

/// A row may end the transaction (a trigger that says ROLLBACK); then nothing more may be written in it.
fn transaction_lost(mut failure: WriteError, undo: DbError) -> Failure {
    failure.error.kind = match undo.kind {
        ErrorKind::Transient => ErrorKind::Transient,
        _ => ErrorKind::Permanent,
    };
    failure.into()
}
