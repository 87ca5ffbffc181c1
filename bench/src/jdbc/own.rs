//! What the database itself can take: LOAD DATA or COPY from one client, at once; beside four tasks from four.

use std::ops::Range;
use std::time::Instant;

use anyhow::{Context, ensure};
use futures::future::try_join_all;
use futures::{StreamExt, stream};
use mysql_async::prelude::Queryable;
use sqlx::Connection;
use sqlx::postgres::PgConnection;

use super::database::Db;
use super::orders::{COLUMNS, Orders};
use super::report::Sample;
use super::{Bench, Case, What, Who};

pub(super) async fn load(bench: &mut Bench, case: Case, orders: &Orders) -> anyhow::Result<()> {
    let db = Db::create(case.engine).await?;
    db.create_table(case.what).await?;
    // Made beforehand: the client is not what is measured.
    let clients = u64::from(case.what.partitions().unsigned_abs());
    let lines = (0..clients).map(|client| orders.lines(client, clients).collect::<Vec<_>>());
    let lines: Vec<_> = lines.collect();
    let loads = lines.into_iter().map(|lines| async {
        match &db {
            Db::MariaDb(_) => mariadb(&db.url(), case.what, lines).await,
            Db::Postgres(_) => postgres(&db.url(), case.what, lines).await,
        }
    });
    let took = try_join_all(loads).await?;
    let begun = took.iter().map(|took| took.start).min().context("nobody loads")?;
    let ended = took.iter().map(|took| took.end).max().unwrap_or(begun);
    let seconds = (ended - begun).as_secs_f64();
    let rows = db.count("orders").await?;
    ensure!(rows == case.records, "the table has {rows} rows");
    bench.samples.push(case, Who::Own, Sample { seconds, ..Sample::default() });
    Ok(())
}

async fn mariadb(url: &str, what: What, lines: Vec<bytes::Bytes>) -> anyhow::Result<Range<Instant>> {
    let mut conn = mysql_async::Conn::new(mysql_async::Opts::from_url(url)?).await?;
    conn.set_infile_handler(async move { Ok(stream::iter(lines.into_iter().map(Ok)).boxed()) });
    let replace = if what == What::Insert { "" } else { "REPLACE " };
    let begun = Instant::now();
    conn.query_drop(format!(
        "LOAD DATA LOCAL INFILE 'orders' {replace}INTO TABLE orders CHARACTER SET utf8mb4"
    ))
    .await
    .context("LOAD DATA failed")?;
    let took = begun..Instant::now();
    conn.disconnect().await?;
    Ok(took)
}

/// An upsert is a COPY to a temporary table and an INSERT from there.
async fn postgres(url: &str, what: What, lines: Vec<bytes::Bytes>) -> anyhow::Result<Range<Instant>> {
    let mut conn = PgConnection::connect(&format!("{url}?sslmode=disable")).await?;
    let begun = Instant::now();
    let mut target = "orders";
    if what != What::Insert {
        target = "loaded";
        sqlx::raw_sql("CREATE TEMP TABLE loaded (LIKE orders)").execute(&mut conn).await?;
    }
    let mut copy = conn.copy_in_raw(&format!("COPY {target} FROM STDIN")).await?;
    for piece in lines {
        copy.send(piece).await?;
    }
    copy.finish().await.context("COPY failed")?;
    if what != What::Insert {
        let updates: Vec<String> =
            COLUMNS[1..].iter().map(|name| format!("{name}=EXCLUDED.{name}")).collect();
        let sql = format!(
            "INSERT INTO orders SELECT * FROM loaded ON CONFLICT (order_id) DO UPDATE SET {}",
            updates.join(",")
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut conn).await.context("the upsert failed")?;
    }
    let took = begun..Instant::now();
    conn.close().await?;
    Ok(took)
}
