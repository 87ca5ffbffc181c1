//! One attempt to write a put: tables first, then one transaction. If a row is at fault, the transaction is begun again and the bad
//! records are looked for in it (`bisect`).

use super::bulk::{Bulk, write_bulk};
use super::exactly_once::{Advance, Positions};
use super::fault::{self, Fault};
use super::plan::{Context, Group, Operation, Planner, split};
use super::shape::Shape;
use super::statements::Statements;
use super::table::{TableError, Tables};
use crate::driver::{Connection, DbError, ErrorKind};
use connect_api::{ConnectError, PutError, Rejected, SinkRecord};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Why an attempt has written nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// What the database says; whether to try again depends on it.
    Db(WriteError),
    /// A record is at fault, and the user tolerates none.
    Record(Fault),
    /// What the runtime is to do instead.
    Put(PutError),
}

/// An error with the statement it belongs to, if any.
#[derive(Debug)]
pub(super) struct WriteError {
    pub(super) error: DbError,
    /// `, table t (t-0 offsets 5 to 9)`
    pub(super) what: String,
    pub(super) shape: Option<Arc<Shape>>,
    /// The table was read anew for this attempt: what it lacks it will lack when it is read again.
    pub(super) looked_at_now: bool,
}

impl From<DbError> for WriteError {
    fn from(error: DbError) -> Self {
        Self { error, what: String::new(), shape: None, looked_at_now: false }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Failure::Db(error)
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Failure::Db(error.into())
    }
}

pub(super) struct Attempt<'p> {
    pub(super) connection: &'p mut Connection,
    pub(super) context: Context<'p>,
    pub(super) planner: &'p mut Planner,
    pub(super) tables: &'p mut Tables,
    /// Where the task keeps its own positions.
    pub(super) positions: Option<&'p mut Positions>,
    pub(super) tolerates_errors: bool,
    /// Whether rows may take a way that may end in doubt.
    pub(super) straight: bool,
    /// Shapes whose tables are not what they need, and why.
    pub(super) unfit: Vec<(Arc<Shape>, String)>,
    /// Records that are not to be written.
    pub(super) faults: Vec<Fault>,
}

/// A group whose table is ready for it.
type Ready<'a> = (Group<'a>, Arc<Statements>);

impl<'p> Attempt<'p> {
    pub(super) fn new(
        connection: &'p mut Connection,
        context: Context<'p>,
        planner: &'p mut Planner,
        tables: &'p mut Tables,
        positions: Option<&'p mut Positions>,
        tolerates_errors: bool,
    ) -> Self {
        Self {
            connection,
            context,
            planner,
            tables,
            positions,
            tolerates_errors,
            straight: true,
            unfit: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Writes the records but for those it answers. After a failure the transaction may still be open.
    pub(super) async fn write(mut self, records: &[SinkRecord]) -> Result<Vec<Rejected>, Failure> {
        let mut advance = None;
        let mut candidates: Vec<usize> = (0..records.len()).collect();
        if let Some(positions) = &mut self.positions {
            let step = positions.step(self.connection, records).await?;
            candidates = step.new;
            if candidates.is_empty() && step.advance.is_empty() {
                return Ok(Vec::new());
            }
            advance = Some(step.advance);
        }
        self.look_at_tables(records).await?;
        loop {
            match self.write_candidates(records, &mut candidates, advance.as_ref()).await {
                Ok(()) => break,
                Err(Failure::Db(error)) if self.takes_to_be_unfit(&error) => {
                    self.connection.roll_back().await?;
                }
                Err(failure) => return Err(failure),
            }
        }
        if let (Some(positions), Some(advance)) = (&mut self.positions, &advance) {
            positions.committed(advance);
        }
        self.faults.sort_by_key(|fault| fault.index);
        Ok(self.faults.into_iter().map(Fault::rejected).collect())
    }

    /// Records without a schema are planned by the columns of their tables.
    async fn look_at_tables(&mut self, records: &[SinkRecord]) -> Result<(), Failure> {
        for table in self.planner.wanted(&self.context, records) {
            let described = self.connection.describe(self.context.dialect, &table).await;
            let definition = described.map_err(|error| WriteError {
                error,
                what: format!(", table {table}"),
                shape: None,
                looked_at_now: true,
            })?;
            self.planner.learn(&self.context, &table, definition.as_ref());
        }
        Ok(())
    }

    /// A table that lacks something even when looked at anew is no matter of time: records of that shape are rejected.
    fn takes_to_be_unfit(&mut self, failure: &WriteError) -> bool {
        let WriteError { error, shape: Some(shape), looked_at_now: true, .. } = failure else { return false };
        let is_new =
            error.kind == ErrorKind::Structure && self.tolerates_errors && self.unfit_for(shape).is_none();
        if is_new {
            self.unfit.push((shape.clone(), error.to_string()));
        }
        is_new
    }

    fn unfit_for(&self, shape: &Arc<Shape>) -> Option<&str> {
        self.unfit.iter().find(|(known, _)| Arc::ptr_eq(known, shape)).map(|(_, why)| why.as_str())
    }

    async fn write_candidates(
        &mut self,
        records: &[SinkRecord],
        candidates: &mut Vec<usize>,
        advance: Option<&Advance>,
    ) -> Result<(), Failure> {
        let plan = self.planner.plan(&self.context, candidates.iter().map(|&index| (index, &records[index])));
        self.faults.extend(plan.rejected.into_iter().map(|(index, error)| Fault::of_plan(index, error)));
        self.tolerate()?;
        let fresh: Vec<Arc<Shape>> = plan
            .groups
            .iter()
            .filter(|group| !self.tables.is_ready(&group.shape))
            .map(|group| group.shape.clone())
            .collect();
        let ready = self.prepare(plan.groups).await?;
        if !self.unfit.is_empty() {
            self.find_unfit(records, candidates).await?;
            self.tolerate()?;
        }
        if !self.faults.is_empty() {
            let bad: HashSet<usize> = self.faults.iter().map(|fault| fault.index).collect();
            candidates.retain(|index| !bad.contains(index));
        }
        self.reject_first(records)?;
        match self.transaction(&ready, advance).await {
            Err(Failure::Db(error)) if self.is_row_fault(&error).await? => {
                self.bisect(records, candidates, advance).await
            }
            Err(Failure::Db(mut error)) => {
                let is_fresh = |shape: &Arc<Shape>| fresh.iter().any(|fresh| Arc::ptr_eq(fresh, shape));
                error.looked_at_now = error.shape.as_ref().is_some_and(is_fresh);
                Err(error.into())
            }
            done => done,
        }
    }

    /// Fails at the first bad record unless such are tolerated.
    pub(super) fn tolerate(&mut self) -> Result<(), Failure> {
        if self.tolerates_errors || self.faults.is_empty() {
            return Ok(());
        }
        Err(Failure::Record(self.faults.swap_remove(0)))
    }

    /// With positions of its own, the task has to see bad records off before it writes past them.
    pub(super) fn reject_first(&mut self, records: &[SinkRecord]) -> Result<(), Failure> {
        let Some(positions) = self.positions.as_mut().filter(|_| !self.faults.is_empty()) else {
            return Ok(());
        };
        let mut faults = std::mem::take(&mut self.faults);
        faults.sort_by_key(|fault| fault.index);
        Err(positions.reject_first(records, faults))
    }

    /// All DDL comes before the transaction, which it would commit half-way. Groups whose table is unfit are left out.
    pub(super) async fn prepare<'a>(&mut self, groups: Vec<Group<'a>>) -> Result<Vec<Ready<'a>>, Failure> {
        let Context { config, dialect, .. } = self.context;
        let mut ready = Vec::with_capacity(groups.len());
        for group in groups {
            if self.unfit_for(&group.shape).is_some() {
                continue;
            }
            let prepared = match self.has_nothing_to_delete(&group).await {
                Ok(true) => continue,
                Ok(false) => self.tables.prepare(self.connection, dialect, config, &group).await,
                Err(error) => Err(error),
            };
            match prepared {
                Ok(statements) => ready.push((group, statements)),
                Err(TableError::Unfit(why)) => self.unfit.push((group.shape, why)),
                // What DDL says of values is said of the table's columns.
                Err(TableError::Db(_, error))
                    if self.tolerates_errors
                        && matches!(error.kind, ErrorKind::BadRow | ErrorKind::Unknown) =>
                {
                    self.unfit.push((group.shape, error.to_string()));
                }
                Err(TableError::Db(table, error)) => {
                    let what = format!(", table {table}");
                    return Err(WriteError { error, what, shape: None, looked_at_now: true }.into());
                }
            }
        }
        Ok(ready)
    }

    /// A table that the first row will create has no rows; created for deletes, it would have the key's columns only.
    async fn has_nothing_to_delete(&mut self, group: &Group<'_>) -> Result<bool, TableError> {
        let Context { config, dialect, .. } = self.context;
        if group.operation() != Operation::Delete || !config.auto_create {
            return Ok(false);
        }
        Ok(!self.tables.is_there(self.connection, dialect, &group.shape.table).await?)
    }

    /// Finds the records of unfit shapes, by planning each alone: of a group only the rows are known that it would write.
    async fn find_unfit(&mut self, records: &[SinkRecord], candidates: &[usize]) -> Result<(), Failure> {
        for &index in candidates {
            let record = &records[index];
            let plan = self.planner.plan(&self.context, [(index, record)]);
            let Some(shape) = plan.groups.first().map(|group| group.shape.clone()) else { continue };
            // A shape that the planner had to make again is asked about again.
            self.prepare(plan.groups).await?;
            if let Some(why) = self.unfit_for(&shape) {
                let why = ConnectError::failed(why);
                self.faults.push(Fault::of_table(index, record, &shape.table, why));
            }
        }
        Ok(())
    }

    /// The whole put in one transaction; once more without short cuts if one ended in doubt, and once more with single rows for each
    /// table where the database found two rows of a statement to have the same key. One after the other they are what they are
    /// on any database: the later wins.
    async fn transaction(&mut self, ready: &[Ready<'_>], advance: Option<&Advance>) -> Result<(), Failure> {
        loop {
            self.begin(advance).await?;
            match self.write_groups(ready).await {
                Ok(()) => {}
                Err(error) if self.leaves_short_cut(&error) || goes_one_by_one(&error) => {
                    self.connection.roll_back().await?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            return Ok(self.connection.commit().await?);
        }
    }

    fn leaves_short_cut(&mut self, failure: &WriteError) -> bool {
        let in_doubt = self.straight && failure.error.kind == ErrorKind::InDoubt;
        if let Some(shape) = failure.shape.as_ref().filter(|_| in_doubt) {
            tracing::debug!(table = %shape.table, why = %failure.error, "writing again on the safe way");
            shape.short_cut.failed();
            self.straight = false;
        }
        in_doubt
    }

    /// The position moves before any row is written: whoever has lost the partition finds out before its rows meet those of the new
    /// owner, and its own look like bad ones.
    pub(super) async fn begin(&mut self, advance: Option<&Advance>) -> Result<(), Failure> {
        self.connection.begin().await?;
        if let (Some(positions), Some(advance)) = (&mut self.positions, advance) {
            positions.fence(self.connection, advance).await?;
        }
        Ok(())
    }

    pub(super) async fn write_groups(&mut self, ready: &[Ready<'_>]) -> Result<(), WriteError> {
        for (group, statements) in ready {
            self.write_group(group, statements).await?;
        }
        Ok(())
    }

    async fn write_group(&mut self, group: &Group<'_>, statements: &Statements) -> Result<(), WriteError> {
        let limit = self.connection.max_row_bytes();
        if group.bytes.iter().all(|bytes| *bytes <= limit) {
            let written =
                write_bulk(self.connection, self.context.dialect, group, statements, self.straight).await;
            if written.map_err(|error| of_rows(group, 0..group.rows.len(), error))? == Bulk::Done {
                return Ok(());
            }
        }
        for rows in self.split(group, statements) {
            let of_rows = |error| of_rows(group, rows.clone(), error);
            if let Some(bytes) = group.bytes[rows.clone()].iter().find(|bytes| **bytes > limit) {
                // Not sent: the server would drop the connection, which looks like something that passes.
                let message = format!(
                    "a row of about {bytes} bytes is larger than the server's max_allowed_packet of {limit}; raise that setting"
                );
                return Err(of_rows(DbError::new(ErrorKind::BadRow, message)));
            }
            let sql = statements.text(self.context.dialect, rows.len());
            let cells = group.rows[rows.clone()].iter().flat_map(|row| statements.cells(row));
            let count = rows.len() * statements.width();
            self.connection.execute(&sql, &statements.wires, count, cells).await.map_err(of_rows)?;
        }
        Ok(())
    }

    /// The rows of each statement.
    pub(super) fn split(&self, group: &Group<'_>, statements: &Statements) -> Vec<Range<usize>> {
        let one_by_one = group.shape.one_by_one.load(Ordering::Relaxed);
        let max_rows = if one_by_one { 1 } else { statements.max_rows };
        split(&group.bytes, max_rows, self.connection.max_statement_bytes())
    }

    /// Whether to look for bad rows; the transaction is rolled back then. An error that nobody knows may be one of a connection that
    /// has come to its end.
    async fn is_row_fault(&mut self, failure: &WriteError) -> Result<bool, Failure> {
        let kind = failure.error.kind;
        if !matches!(kind, ErrorKind::BadRow | ErrorKind::Unknown) {
            return Ok(false);
        }
        let rolled_back = self.connection.roll_back().await;
        if rolled_back.is_ok() && (kind == ErrorKind::BadRow || self.connection.is_alive().await) {
            return Ok(true);
        }
        // The row has taken the transaction with it: nothing can be tried beside it.
        let kind = match rolled_back {
            Err(error) if error.kind != ErrorKind::Transient => ErrorKind::Permanent,
            _ => ErrorKind::Transient,
        };
        let error = DbError { kind, ..failure.error.clone() };
        Err(WriteError { error, what: failure.what.clone(), shape: None, looked_at_now: false }.into())
    }
}

fn of_rows(group: &Group<'_>, rows: Range<usize>, error: DbError) -> WriteError {
    let offsets = fault::offsets(group.rows[rows].iter().map(|row| row.record));
    WriteError {
        error,
        what: format!(", table {} ({offsets})", group.shape.table),
        shape: Some(group.shape.clone()),
        looked_at_now: false,
    }
}

/// Whether the statement failed because the database takes two of its keys for one, and its table's rows go one by one from now on.
pub(super) fn goes_one_by_one(failure: &WriteError) -> bool {
    let Some(shape) = failure.shape.as_ref().filter(|_| failure.error.kind == ErrorKind::SameKey) else {
        return false;
    };
    if shape.one_by_one.swap(true, Ordering::Relaxed) {
        return false;
    }
    tracing::info!(table = %shape.table, "keys that differ are the same to the database, rows are written one by one");
    true
}
