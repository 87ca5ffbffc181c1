//! Which groups are written at once, and in which order their rows may go.

use super::plan::{Group, Operation};
use super::row::Row;
use super::statements::Statements;
use crate::dialect::{Cell, Dialect, TableColumn, Target};
pub(super) use crate::driver::Bulk;
use crate::driver::{BulkRows, Connection, DbError, Load};
use connect_api::{Type, Value};
use std::sync::atomic::Ordering;

/// Below this a statement with parameters is as fast: a load is several statements.
const MIN_ROWS: usize = 200;

/// Writes the group's rows inside of the open transaction, if they are many and the database has a way for many. After
/// [`Bulk::NotHere`] nothing of the group is written. `straight` allows ways that may end in doubt.
pub(super) async fn write_bulk(
    connection: &mut Connection,
    dialect: &dyn Dialect,
    group: &Group<'_>,
    statements: &Statements,
    straight: bool,
) -> Result<Bulk, DbError> {
    let upsert_keys = match group.operation() {
        Operation::Insert => None,
        Operation::Upsert => Some(statements.keys()),
        Operation::Update | Operation::Delete => return Ok(Bulk::NotHere),
    };
    if group.rows.len() < MIN_ROWS || group.shape.one_by_one.load(Ordering::Relaxed) {
        return Ok(Bulk::NotHere);
    }
    let columns = statements.targets();
    let order = upsert_keys.map_or(Order::Any, |keys| by_key(&group.rows, statements, &columns[..keys]));
    let order = match order {
        Order::Sorted(rows) => (rows, false),
        Order::Any => ((0..group.rows.len() as u32).collect(), false),
        Order::Kept => ((0..group.rows.len() as u32).collect(), true),
    };
    let (numbers, in_order) = order;
    // An upsert whose keys are all new is an insert. Rows that may meet each other are not.
    let straight = straight && !in_order && group.shape.short_cut.is_open();
    let load = Load {
        table: &group.shape.table,
        columns: &columns,
        wires: &statements.wires,
        upsert_keys,
        in_order,
        straight,
    };
    // No more than a statement may have: what fits into one statement is undone as one.
    let max_bytes = connection.max_statement_bytes();
    let mut rest = &numbers[..];
    let mut written = false;
    while !rest.is_empty() {
        let mut bytes = 0_usize;
        let fitting = rest.iter().take_while(|row| {
            bytes = bytes.saturating_add(group.bytes[**row as usize]);
            bytes <= max_bytes
        });
        let (part, others) = rest.split_at(fitting.count().max(1));
        rest = others;
        let rows = Part { statements, rows: &group.rows, numbers: part };
        match connection.load(dialect, &load, &rows).await? {
            Bulk::Done => written = true,
            Bulk::NotHere if !written => return Ok(Bulk::NotHere),
            // A later part holds what the first did not.
            Bulk::NotHere => write_part(connection, dialect, group, statements, part).await?,
        }
    }
    if straight {
        group.shape.short_cut.went_well();
    }
    Ok(Bulk::Done)
}

/// The part's rows by statements.
async fn write_part(
    connection: &mut Connection,
    dialect: &dyn Dialect,
    group: &Group<'_>,
    statements: &Statements,
    part: &[u32],
) -> Result<(), DbError> {
    let bytes: Vec<usize> = part.iter().map(|row| group.bytes[*row as usize]).collect();
    for range in super::plan::split(&bytes, statements.max_rows, connection.max_statement_bytes()) {
        let rows = &part[range];
        let sql = statements.text(dialect, rows.len());
        let cells = rows.iter().flat_map(|row| statements.cells(&group.rows[*row as usize]));
        connection.execute(&sql, &statements.wires, rows.len() * statements.width(), cells).await?;
    }
    Ok(())
}

/// Some of a group's rows.
struct Part<'a> {
    statements: &'a Statements,
    rows: &'a [Row<'a>],
    numbers: &'a [u32],
}

impl BulkRows for Part<'_> {
    fn len(&self) -> usize {
        self.numbers.len()
    }

    fn cells(&self, row: usize, each: &mut dyn FnMut(Cell<'_>)) {
        self.statements.cells(&self.rows[self.numbers[row] as usize]).for_each(each);
    }
}

#[derive(Debug, PartialEq)]
enum Order {
    /// By the key, since no two rows can have the same: neighbours of the index are written together, and tasks that write
    /// the same rows lock them in the same order.
    Sorted(Vec<u32>),
    Any,
    /// The database may find two of the keys to be the same, and then the later row must win.
    Kept,
}

/// Sorts by key where nothing that a collation may ignore makes two keys the same: letters' case and spaces at the end. What else
/// collations do concerns texts beyond ASCII and control characters.
fn by_key(rows: &[Row<'_>], statements: &Statements, columns: &[Target<'_>]) -> Order {
    if columns.is_empty() || !columns.iter().all(holds_plain_keys) {
        return Order::Kept;
    }
    let mut keys: Vec<u8> = Vec::with_capacity(rows.len() * 40);
    let mut starts = Vec::with_capacity(rows.len() + 1);
    for row in rows {
        starts.push(keys.len());
        let mut plain = true;
        statements.cells(row).take(columns.len()).for_each(|cell| plain &= push_key(&mut keys, cell));
        if !plain {
            return Order::Kept;
        }
    }
    starts.push(keys.len());
    let key = |row: &u32| &keys[starts[*row as usize]..starts[*row as usize + 1]];
    let mut order: Vec<u32> = (0..rows.len() as u32).collect();
    order.sort_unstable_by(|one, other| key(one).cmp(key(other)));
    match order.windows(2).any(|pair| key(&pair[0]) == key(&pair[1])) {
        true => Order::Kept,
        false => Order::Sorted(order),
    }
}

/// Whether texts, or whole numbers, are kept as such: a column of another type may read two of them as the same.
fn holds_plain_keys(target: &Target<'_>) -> bool {
    const TEXTS: &[&str] =
        &["char", "varchar", "character", "character varying", "tinytext", "text", "mediumtext", "longtext"];
    const NUMBERS: &[&str] = &["tinyint", "smallint", "mediumint", "int", "integer", "bigint"];
    let Some(base) = target.column.map(TableColumn::base_type) else { return false };
    let types = if target.schema.ty == Type::String { TEXTS } else { NUMBERS };
    types.contains(&base.as_str())
}

/// Appends the key, such that keys which differ here differ in the database; whether that can be said of it.
fn push_key(keys: &mut Vec<u8>, cell: Cell<'_>) -> bool {
    let number = match cell {
        Cell::Integer(value) => value,
        Cell::Text(text) => return push_text(keys, text),
        Cell::Value(Value::String(text)) => return push_text(keys, text),
        Cell::Value(Value::Int8(value)) => i64::from(*value),
        Cell::Value(Value::Int16(value)) => i64::from(*value),
        Cell::Value(Value::Int32(value)) => i64::from(*value),
        Cell::Value(Value::Int64(value)) => *value,
        _ => return false,
    };
    // The sign turned, so that bytes are in the order of numbers.
    keys.extend((number ^ i64::MIN).to_be_bytes());
    true
}

fn push_text(keys: &mut Vec<u8>, text: &str) -> bool {
    let bytes = text.trim_end_matches(' ').as_bytes();
    let start = keys.len();
    keys.extend(bytes);
    keys[start..].make_ascii_lowercase();
    keys.push(0);
    bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{MySql, Quoting};
    use crate::sink::fixtures::{config, item, item_schema, record};
    use crate::sink::plan::{Context, Planner};
    use connect_api::SinkRecord;

    fn order(key: &[&str], sql_type: &str) -> Order {
        let schema = item_schema();
        let records: Vec<SinkRecord> =
            key.iter().zip(0..).map(|(name, offset)| record("t", offset, &schema, item(1, name))).collect();
        let dialect = MySql::new(Quoting::Always);
        let config = config(&[("insert.mode", "upsert"), ("pk.mode", "record_value"), ("pk.fields", "name")]);
        let context = Context { config: &config, dialect: &dialect, connector: "sink" };
        let plan = Planner::default().plan(&context, records.iter().enumerate());
        let group = &plan.groups[0];
        let table = [TableColumn::plain("name", sql_type), TableColumn::plain("id", "int(11)")];
        let statements = Statements::new(&dialect, group.shape.clone(), &table);
        by_key(&group.rows, &statements, &statements.targets()[..1])
    }

    #[test]
    fn rows_are_sorted_only_where_no_two_keys_can_be_the_same() {
        assert_eq!(order(&["b", "C", "a"], "varchar(64)"), Order::Sorted(vec![2, 0, 1]));
        assert_eq!(order(&["b", "a", "B"], "varchar(64)"), Order::Kept);
        assert_eq!(order(&["b", "a", "b "], "varchar(64)"), Order::Kept);
        assert_eq!(order(&["b", "a", "\u{e4}"], "varchar(64)"), Order::Kept);
        assert_eq!(order(&["b", "a", "c\u{1}"], "varchar(64)"), Order::Kept);
        assert_eq!(order(&["b", "a"], "uuid"), Order::Kept);
    }

    #[test]
    fn numbers_are_in_their_order() {
        let mut keys = Vec::new();
        assert!([-1_i64, 0, 1].into_iter().all(|number| push_key(&mut keys, Cell::Integer(number))));
        assert!(keys.chunks(8).is_sorted());
    }
}
