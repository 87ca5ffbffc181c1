//! The read tables have two possible makers: `order-service migrate`, and a sink with `auto.create`. They must agree, or it
//! would matter who came first.

use crate::support::platform::Platform;
use bytes::Bytes;
use connect_api::{ConfigMap, Schema};
use connect_jdbc::dialect::{Dialect, MySql, Postgres, Quoting, Sqlite, TableId, table_columns};
use contracts::{Decision, Fact, Order, Outcome, encode};
use order_service::store::database::Engine;
use order_service::store::migration;
use std::sync::Arc;
use testkit::PgDatabase;
use uuid::Uuid;

/// The schema as the sink sees it: read from the wire form by the sink's own converter.
fn wire_schema(fact: &impl Fact) -> Arc<Schema> {
    let class = "org.apache.kafka.connect.json.JsonConverter";
    let mut converter =
        connect_converters::create(class, &ConfigMap::new(), false).expect("the JSON converter");
    let value = Bytes::from(encode(fact));
    let (schema, _) = converter.to_connect_data("orders", Some(&value)).expect("a fact is readable");
    schema.expect("a fact has a schema")
}

fn order() -> Order {
    Order {
        order_id: Uuid::from_u128(1),
        user_id: "ann".into(),
        product_id: 1,
        qty: 1,
        unit_price: 1,
        total_price: 1,
        created_at: 0,
        idempotency_key: Some("k".into()),
    }
}

fn decision() -> Decision {
    Decision { order_id: Uuid::from_u128(1), outcome: Outcome::Confirmed, reason: None, decided_at: 0 }
}

/// Name, type and nullability of each column as either maker has it. A text column may be narrower in the migration
/// (an index needs a length) as long as the contract's own limit fits.
fn compare<F: Fact>(fact: &F, engine: Engine, dialect: &dyn Dialect) {
    let sink =
        table_columns(dialect, &wire_schema(fact), &["order_id"]).expect("every field has a column type");
    let migration = migration::columns::<F>(engine);
    let names = |names: Vec<&str>| names.join(",");
    assert_eq!(
        names(sink.iter().map(|column| &*column.name).collect()),
        names(migration.iter().map(|column| column.name).collect()),
        "{}",
        F::NAME
    );
    for (sink, migration) in sink.iter().zip(&migration) {
        let place = format!("{}.{} on {engine:?}", F::NAME, sink.name);
        assert_eq!(sink.nullable, migration.nullable, "{place}");
        assert_eq!(migration.primary_key, sink.name == "order_id", "{place}");
        let plain = migration.sql_type.split(" CHARACTER SET").next().unwrap_or_default();
        match sink.sql_type.as_str() {
            "TEXT" if engine == Engine::MariaDb => assert!(plain.starts_with("VARCHAR("), "{place}: {plain}"),
            sink_type => assert_eq!(sink_type, plain, "{place}"),
        }
    }
}

#[test]
fn migration_and_sink_make_the_same_tables() {
    let mysql = MySql::new(Quoting::Always);
    let postgres = Postgres { quoting: Quoting::Always };
    let sqlite = Sqlite::for_writing(Quoting::Always);
    let engines: [(Engine, &dyn Dialect); 3] =
        [(Engine::MariaDb, &mysql), (Engine::Postgres, &postgres), (Engine::Sqlite, &sqlite)];
    for (engine, dialect) in engines {
        compare(&order(), engine, dialect);
        compare(&decision(), engine, dialect);
    }
}

/// What the migration's text turns into on the server.
#[tokio::test]
async fn mariadb_has_the_columns_that_the_migration_names() -> anyhow::Result<()> {
    let platform = Platform::new("orders", "catalog").await?;
    let describe = |table: &str| {
        format!(
            "SELECT column_name, upper(column_type), is_nullable, column_key = 'PRI' FROM information_schema.columns \
             WHERE table_schema = database() AND table_name = '{table}' ORDER BY ordinal_position"
        )
    };
    for (table, columns) in [
        (&platform.orders, migration::columns::<Order>(Engine::MariaDb)),
        (&platform.decisions, migration::columns::<Decision>(Engine::MariaDb)),
    ] {
        let rows = platform.read.query(&describe(table)).await?;
        let found: Vec<Vec<String>> =
            rows.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect();
        let expected: Vec<Vec<String>> = columns
            .iter()
            .map(|column| {
                let plain = column.sql_type.split(" CHARACTER SET").next().unwrap_or_default();
                // MariaDB shows the display width of integers
                let shown = match plain {
                    "BIGINT" => "BIGINT(20)",
                    "INT" => "INT(11)",
                    other => other,
                };
                vec![
                    column.name.to_owned(),
                    shown.to_owned(),
                    if column.nullable { "YES" } else { "NO" }.to_owned(),
                    u8::from(column.primary_key).to_string(),
                ]
            })
            .collect();
        assert_eq!(found, expected, "{table}");
    }
    Ok(())
}

/// Where both may have been first: the sink makes the tables in one database, the migration in the other.
#[tokio::test]
async fn postgresql_has_the_same_columns_from_either() -> anyhow::Result<()> {
    let platform = Platform::on_postgres("orders", "catalog").await?;
    let by_sink = PgDatabase::create(&testkit::unique("contract")).await?;
    let dialect = Postgres { quoting: Quoting::Always };
    for (table, schema) in
        [(&platform.orders, wire_schema(&order())), (&platform.decisions, wire_schema(&decision()))]
    {
        let columns = table_columns(&dialect, &schema, &["order_id"])?;
        let id = TableId::named(table.clone());
        by_sink.execute(&dialect.create_table(&id, &columns, &["order_id"])).await?;
        let describe = format!(
            "SELECT c.column_name, c.data_type, c.is_nullable, k.column_name FROM information_schema.columns c \
             LEFT JOIN information_schema.key_column_usage k ON k.table_name = c.table_name \
             AND k.column_name = c.column_name WHERE c.table_name = '{table}' ORDER BY c.ordinal_position"
        );
        let found = platform.read.query(&describe).await?;
        assert!(found.len() >= 4, "{found:?}");
        assert_eq!(found, by_sink.query(&describe).await?, "{table}");
    }
    Ok(())
}
