//! From tables to the configurations of tasks, and the watch over both.

use super::config::{Flavor, SourceConfig, Subject, TABLES, TABLES_FETCHED, TableFilter};
use super::list::{connect, refuse_namesakes, wanted_tables};
use super::tables::{SourceTable, read_tables, write_tables};
use crate::driver::{Connection, DbError};
use connect_api::{ConfigMap, ConnectError};

pub(super) async fn task_configs(
    source: &SourceConfig,
    config: &ConfigMap,
    max_tasks: usize,
) -> Result<Vec<ConfigMap>, ConnectError> {
    let filter = match &source.subject {
        Subject::Query { .. } => return Ok(vec![with_tables(source, config, &[])]),
        Subject::Tables(filter) => filter,
    };
    let url = &source.connection.url;
    let mut connection = connect(source)
        .await
        .map_err(|error| ConnectError::caused(format!("Could not connect to database. {url}"), error))?;
    let tables = wanted_tables(&mut connection, source, filter).await;
    connection.close().await;
    let tables =
        tables.map_err(|error| ConnectError::caused(format!("cannot list the tables of {url}"), error))?;
    refuse_namesakes(&tables, source, filter)?;
    if tables.is_empty() {
        tracing::warn!(%url, "no table matches the configuration yet");
        return Ok(vec![with_tables(source, config, &[])]);
    }
    let groups = groups(&tables, max_tasks);
    Ok(groups.into_iter().map(|group| with_tables(source, config, group)).collect())
}

fn with_tables(source: &SourceConfig, config: &ConfigMap, tables: &[SourceTable]) -> ConfigMap {
    let mut config = config.clone();
    config.insert(TABLES.into(), write_tables(tables, &*source.dialect()));
    if source.flavor == Flavor::Confluent {
        config.insert(TABLES_FETCHED.into(), "true".into());
    }
    config
}

/// Neighbours together, the first groups larger by one (Java: `ConnectorUtils.groupPartitions`).
fn groups<T>(items: &[T], at_most: usize) -> Vec<&[T]> {
    let count = items.len().min(at_most.max(1));
    let (size, larger) = (items.len() / count.max(1), items.len() % count.max(1));
    let mut rest = items;
    (0..count)
        .map(|index| {
            let (group, others) = rest.split_at(size + usize::from(index < larger));
            rest = others;
            group
        })
        .collect()
}

/// Returns when there are other tables than those that `current` speaks of. A database that is away is waited for: the tasks say
/// what that means for them.
pub(super) async fn watch(source: &SourceConfig, current: &[ConfigMap]) {
    let Subject::Tables(filter) = &source.subject else { return std::future::pending().await };
    let url = &source.connection.url;
    let mut known: Vec<SourceTable> = Vec::new();
    for config in current {
        let text = config.get(TABLES).map(String::as_str).unwrap_or_default();
        known.extend(read_tables(text, url).unwrap_or_default());
    }
    let mut away = false;
    loop {
        tokio::time::sleep(source.table_poll_interval).await;
        match look(source, filter).await {
            Ok(tables) if tables != known => {
                let names = |tables: &[SourceTable], others: &[SourceTable]| {
                    let only = tables.iter().filter(|table| !others.contains(table));
                    only.map(SourceTable::full_name).collect::<Vec<_>>().join(", ")
                };
                let (new, gone) = (names(&tables, &known), names(&known, &tables));
                tracing::info!(%url, new, gone, "the tables have changed, the tasks are configured anew");
                return;
            }
            Ok(_) if away => {
                away = false;
                tracing::info!(%url, "the list of tables can be read again");
            }
            Ok(_) => {}
            Err(_) if away => {}
            Err(error) => {
                away = true;
                tracing::warn!(%url, %error, "the list of tables cannot be read, looking again until it can");
            }
        }
    }
}

/// A connection for each look: one that is kept would cost the server more than one that is made once a minute.
async fn look(source: &SourceConfig, filter: &TableFilter) -> Result<Vec<SourceTable>, DbError> {
    let mut connection = Connection::open(&source.connection.url).await?;
    let tables = wanted_tables(&mut connection, source, filter).await;
    connection.close().await;
    tables
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn tables_are_shared_out_as_in_java() {
        let items = [1, 2, 3, 4, 5, 6, 7];
        for (at_most, expected) in [
            (1, vec![7]),
            (2, vec![4, 3]),
            (3, vec![3, 2, 2]),
            (5, vec![2, 2, 1, 1, 1]),
            (7, vec![1; 7]),
            (9, vec![1; 7]),
        ] {
            let groups = groups(&items, at_most);
            assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), expected);
            assert_eq!(groups.concat(), items);
        }
        assert!(groups::<u8>(&[], 3).is_empty());
    }
}
