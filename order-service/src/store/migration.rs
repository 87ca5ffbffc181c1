//! The read tables. A JDBC sink fills them; this service owns them, since it alone knows by what they are searched.
//!
//! The columns follow from the contracts' fields, and their types are those a sink with `auto.create` would choose or
//! narrower, so that it makes no difference who came first for what the sink writes.

use super::ReadTables;
use super::database::{DatabaseUrl, Engine};
use contracts::{ConnectField, ConnectType, Decision, Fact, Order};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, RuntimeErr, SqlErr, Statement};
use std::time::{Duration, Instant};

const WAIT_FOR_DATABASE: Duration = Duration::from_secs(30);

/// One column of a read table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub sql_type: String,
    pub nullable: bool,
    pub primary_key: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    #[error("the database at {place} cannot be used")]
    Connect {
        place: String,
        #[source]
        source: DbErr,
    },
    #[error(
        "the table {table} exists in another form, without a column the contracts name; drop or rename it"
    )]
    OtherTable {
        table: String,
        #[source]
        source: DbErr,
    },
    #[error("the database refuses: {statement}")]
    Statement {
        statement: String,
        #[source]
        source: DbErr,
    },
}

/// The columns of the table that holds facts of type `F`.
pub fn columns<F: Fact>(engine: Engine) -> Vec<Column> {
    F::FIELDS
        .iter()
        .map(|field| Column {
            name: field.name,
            sql_type: sql_type(engine, field),
            nullable: field.optional,
            primary_key: field.name == "order_id",
        })
        .collect()
}

fn sql_type(engine: Engine, field: &ConnectField) -> String {
    let sql_type = match (engine, field.ty) {
        (Engine::Sqlite, ConnectType::Int32 | ConnectType::Int64) => "INTEGER",
        (Engine::Sqlite, ConnectType::Timestamp) => "NUMERIC",
        (Engine::MariaDb | Engine::Postgres, ConnectType::Int32) => "INT",
        (Engine::MariaDb | Engine::Postgres, ConnectType::Int64) => "BIGINT",
        (Engine::Postgres, ConnectType::Timestamp) => "TIMESTAMP",
        (Engine::Postgres | Engine::Sqlite, ConnectType::String) => "TEXT",
        (Engine::MariaDb, ConnectType::Timestamp) => "DATETIME(3)",
        (Engine::MariaDb, ConnectType::String) => {
            // Ids, users and keys are compared byte by byte: "Ann" is not "ann".
            let chars = if field.name == "user_id" { Order::USER_ID_MAX_CHARS } else { 255 };
            return format!("VARCHAR({chars}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
        }
    };
    sql_type.to_owned()
}

/// Every statement that makes both tables and their indexes, for an empty database.
pub fn ddl(engine: Engine, tables: &ReadTables) -> Vec<String> {
    let mut statements = orders_ddl(engine, &tables.orders);
    statements.push(create_table::<Decision>(engine, &tables.decisions));
    statements
}

/// The orders table alone.
pub(super) fn orders_ddl(engine: Engine, table: &str) -> Vec<String> {
    let mut statements = vec![create_table::<Order>(engine, table)];
    statements.extend(INDEXES.iter().map(|index| create_index(engine, table, index)));
    statements
}

struct Index {
    name: &'static str,
    columns: &'static [&'static str],
}

/// One per way of reading: a user's orders, everybody's orders, the order under a key.
const INDEXES: [Index; 3] = [
    Index { name: "ix_user_created", columns: &["user_id", "created_at", "order_id"] },
    Index { name: "ix_created", columns: &["created_at", "order_id"] },
    Index { name: "ix_user_key", columns: &["user_id", "idempotency_key"] },
];

fn quoted(engine: Engine, name: &str) -> String {
    match engine {
        Engine::MariaDb => format!("`{}`", name.replace('`', "``")),
        Engine::Postgres | Engine::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}

fn create_table<F: Fact>(engine: Engine, table: &str) -> String {
    let columns = columns::<F>(engine).into_iter().map(|column| {
        let name = quoted(engine, column.name);
        let null = if column.nullable { "NULL" } else { "NOT NULL" };
        let key = if column.primary_key { " PRIMARY KEY" } else { "" };
        format!("  {name} {} {null}{key}", column.sql_type)
    });
    let columns = columns.collect::<Vec<_>>().join(",\n");
    // For columns that a sink with `auto.evolve` may add.
    let options = if engine == Engine::MariaDb { " DEFAULT CHARACTER SET utf8mb4" } else { "" };
    format!("CREATE TABLE IF NOT EXISTS {} (\n{columns}\n){options}", quoted(engine, table))
}

fn create_index(engine: Engine, table: &str, index: &Index) -> String {
    let columns: Vec<String> = index.columns.iter().map(|column| quoted(engine, column)).collect();
    let columns = columns.join(", ");
    let on = quoted(engine, table);
    match engine {
        // An index's name belongs to its table here; MySQL knows no IF NOT EXISTS for it.
        Engine::MariaDb => format!("CREATE INDEX {} ON {on} ({columns})", quoted(engine, index.name)),
        // And to the whole file or schema here.
        Engine::Postgres | Engine::Sqlite => {
            let name = quoted(engine, &format!("{}_{table}", index.name));
            format!("CREATE INDEX IF NOT EXISTS {name} ON {on} ({columns})")
        }
    }
}

/// Makes what is missing. Can be repeated, and waits a while for a database server that is still starting.
pub async fn run(url: &DatabaseUrl, tables: &ReadTables) -> Result<(), MigrationError> {
    let database = connect(url).await?;
    if url.engine() == Engine::Sqlite {
        // A property of the file: readers and the sink do not block each other.
        execute(&database, "PRAGMA journal_mode=WAL").await?;
    }
    migrate_table::<Order>(&database, url.engine(), &tables.orders, &INDEXES).await?;
    migrate_table::<Decision>(&database, url.engine(), &tables.decisions, &[]).await?;
    tracing::info!(database = %url, orders = tables.orders, decisions = tables.decisions, "the read tables are there");
    // A failure to say goodbye changes nothing.
    let _ = database.close().await;
    Ok(())
}

async fn connect(url: &DatabaseUrl) -> Result<DatabaseConnection, MigrationError> {
    let started = Instant::now();
    let mut told = false;
    loop {
        match url.connect_or_create().await {
            Ok(database) => return Ok(database),
            Err(error) if is_away(url.engine(), &error) && started.elapsed() < WAIT_FOR_DATABASE => {
                if !told {
                    tracing::info!(database = %url, "waiting up to 30 s for the database");
                    told = true;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Err(source) => return Err(MigrationError::Connect { place: url.to_string(), source }),
        }
    }
}

/// Whether waiting helps: a server that answers "wrong password" will not think better of it.
fn is_away(engine: Engine, error: &DbErr) -> bool {
    let answered = matches!(
        error,
        DbErr::Conn(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error))
            | DbErr::Query(RuntimeErr::SqlxError(error))
            // PostgreSQL answers while it is still starting, too.
            if error.as_database_error().is_some_and(|error| !error.is_transient_in_connect_phase())
    );
    engine != Engine::Sqlite && !answered
}

async fn migrate_table<F: Fact>(
    database: &DatabaseConnection,
    engine: Engine,
    table: &str,
    indexes: &[Index],
) -> Result<(), MigrationError> {
    let create = create_table::<F>(engine, table);
    match execute(database, &create).await {
        // PostgreSQL's IF NOT EXISTS does not see what another migration creates at this moment.
        Err(MigrationError::Statement { source, .. })
            if matches!(source.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) =>
        {
            execute(database, &create).await?;
        }
        done => done?,
    }
    // CREATE TABLE IF NOT EXISTS is content with any table of that name. Columns are named with their table, since SQLite
    // takes an unknown name in double quotes for a text.
    let from = quoted(engine, table);
    let names: Vec<String> =
        F::FIELDS.iter().map(|field| format!("{from}.{}", quoted(engine, field.name))).collect();
    let probe = format!("SELECT {} FROM {from} LIMIT 1", names.join(", "));
    database
        .query_one_raw(Statement::from_string(database.get_database_backend(), probe))
        .await
        .map_err(|source| MigrationError::OtherTable { table: table.to_owned(), source })?;
    for index in indexes {
        if engine == Engine::MariaDb && has_index(database, table, index.name).await? {
            continue;
        }
        execute(database, &create_index(engine, table, index)).await?;
    }
    Ok(())
}

async fn has_index(database: &DatabaseConnection, table: &str, index: &str) -> Result<bool, MigrationError> {
    let statement = "SELECT 1 AS found FROM information_schema.statistics \
        WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ? LIMIT 1";
    let query = Statement::from_sql_and_values(
        database.get_database_backend(),
        statement,
        [table.into(), index.into()],
    );
    let found = database
        .query_one_raw(query)
        .await
        .map_err(|source| MigrationError::Statement { statement: statement.to_owned(), source })?;
    Ok(found.is_some())
}

async fn execute(database: &DatabaseConnection, statement: &str) -> Result<(), MigrationError> {
    database
        .execute_unprepared(statement)
        .await
        .map(|_| ())
        .map_err(|source| MigrationError::Statement { statement: statement.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn tables() -> ReadTables {
        ReadTables { orders: "orders".into(), decisions: "order_decisions".into() }
    }

    #[test]
    fn mariadb_tables() {
        expect![[r#"
            CREATE TABLE IF NOT EXISTS `orders` (
              `order_id` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
              `user_id` VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
              `product_id` BIGINT NOT NULL,
              `qty` INT NOT NULL,
              `unit_price` BIGINT NOT NULL,
              `total_price` BIGINT NOT NULL,
              `created_at` DATETIME(3) NOT NULL,
              `idempotency_key` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL
            ) DEFAULT CHARACTER SET utf8mb4;
            CREATE INDEX `ix_user_created` ON `orders` (`user_id`, `created_at`, `order_id`);
            CREATE INDEX `ix_created` ON `orders` (`created_at`, `order_id`);
            CREATE INDEX `ix_user_key` ON `orders` (`user_id`, `idempotency_key`);
            CREATE TABLE IF NOT EXISTS `order_decisions` (
              `order_id` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
              `outcome` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
              `reason` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
              `decided_at` DATETIME(3) NOT NULL
            ) DEFAULT CHARACTER SET utf8mb4"#]]
        .assert_eq(&ddl(Engine::MariaDb, &tables()).join(";\n"));
    }

    #[test]
    fn postgres_tables() {
        expect![[r#"
            CREATE TABLE IF NOT EXISTS "orders" (
              "order_id" TEXT NOT NULL PRIMARY KEY,
              "user_id" TEXT NOT NULL,
              "product_id" BIGINT NOT NULL,
              "qty" INT NOT NULL,
              "unit_price" BIGINT NOT NULL,
              "total_price" BIGINT NOT NULL,
              "created_at" TIMESTAMP NOT NULL,
              "idempotency_key" TEXT NULL
            );
            CREATE INDEX IF NOT EXISTS "ix_user_created_orders" ON "orders" ("user_id", "created_at", "order_id");
            CREATE INDEX IF NOT EXISTS "ix_created_orders" ON "orders" ("created_at", "order_id");
            CREATE INDEX IF NOT EXISTS "ix_user_key_orders" ON "orders" ("user_id", "idempotency_key");
            CREATE TABLE IF NOT EXISTS "order_decisions" (
              "order_id" TEXT NOT NULL PRIMARY KEY,
              "outcome" TEXT NOT NULL,
              "reason" TEXT NULL,
              "decided_at" TIMESTAMP NOT NULL
            )"#]].assert_eq(&ddl(Engine::Postgres, &tables()).join(";\n"));
    }

    #[test]
    fn sqlite_tables() {
        expect![[r#"
            CREATE TABLE IF NOT EXISTS "orders" (
              "order_id" TEXT NOT NULL PRIMARY KEY,
              "user_id" TEXT NOT NULL,
              "product_id" INTEGER NOT NULL,
              "qty" INTEGER NOT NULL,
              "unit_price" INTEGER NOT NULL,
              "total_price" INTEGER NOT NULL,
              "created_at" NUMERIC NOT NULL,
              "idempotency_key" TEXT NULL
            );
            CREATE INDEX IF NOT EXISTS "ix_user_created_orders" ON "orders" ("user_id", "created_at", "order_id");
            CREATE INDEX IF NOT EXISTS "ix_created_orders" ON "orders" ("created_at", "order_id");
            CREATE INDEX IF NOT EXISTS "ix_user_key_orders" ON "orders" ("user_id", "idempotency_key");
            CREATE TABLE IF NOT EXISTS "order_decisions" (
              "order_id" TEXT NOT NULL PRIMARY KEY,
              "outcome" TEXT NOT NULL,
              "reason" TEXT NULL,
              "decided_at" NUMERIC NOT NULL
            )"#]].assert_eq(&ddl(Engine::Sqlite, &tables()).join(";\n"));
    }
}
