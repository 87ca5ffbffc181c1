//! Servers that have stopped answering without breaking a connection: frozen, or behind a network that swallows everything.
//!
//! A statement may rightly take long (a lock that is waited for, a big ALTER TABLE), so no limit on statements is sane for everybody; Java's
//! drivers have none unless `socketTimeout` is set. But a server that lives answers somebody who knocks. So work that takes long is left
//! alone as long as a new connection gets an answer, be it a refusal, and is given up when none does.

use super::{Connection, DbError, ErrorKind};
use crate::url::JdbcUrl;
use std::time::Duration;
use tokio::time::sleep;

/// Work that takes longer makes us knock.
const LONG: Duration = Duration::from_secs(20);
const BETWEEN: Duration = Duration::from_secs(5);
/// One answer missed may be a lost packet or a moment's load.
const MISSES: u32 = 2;

/// The result of `work`; an error that may pass if the server stops answering meanwhile. The connection of the work is lost then.
pub(crate) async fn unless_hung<T, E: From<DbError>>(
    url: &JdbcUrl,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let probe = || async { answers(Connection::probe(url).await) };
    match url {
        JdbcUrl::MySql(_) | JdbcUrl::Postgres(_) => guard(work, probe).await,
        // A file is not somebody who could be asked.
        JdbcUrl::Sqlite(_) => work.await,
    }
}

/// A refusal is an answer, too.
fn answers(probed: Result<(), DbError>) -> bool {
    probed.err().is_none_or(|error| error.sql_state.is_some() || error.code.is_some())
}

async fn guard<T, E: From<DbError>, P: Future<Output = bool>>(
    work: impl Future<Output = Result<T, E>>,
    probe: impl Fn() -> P,
) -> Result<T, E> {
    let hung = async {
        sleep(LONG).await;
        let mut missed = 0;
        loop {
            missed = if probe().await { 0 } else { missed + 1 };
            if missed == MISSES {
                return;
            }
            sleep(BETWEEN).await;
        }
    };
    tokio::select! {
        biased;
        done = work => done,
        () = hung => Err(DbError::new(
            ErrorKind::Transient,
            format!("no answer for {} s, and new connections get none either", (LONG + BETWEEN).as_secs()),
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::future::pending;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn long_work_is_left_alone_while_somebody_answers() {
        let work = async {
            sleep(Duration::from_secs(3600)).await;
            Ok::<_, DbError>(7)
        };
        // Every other knock is not heard.
        let knocks = Cell::new(0);
        let probe = || async {
            knocks.set(knocks.get() + 1);
            knocks.get() % 2 == 0
        };
        assert_eq!(guard(work, probe).await, Ok(7));
        assert!(knocks.get() > 100);
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_given_up_when_nobody_answers() {
        let begun = Instant::now();
        let error = guard(pending::<Result<(), DbError>>(), || async { false }).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Transient);
        assert!(begun.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn a_refusal_is_an_answer() {
        assert!(answers(Ok(())));
        let refused = DbError { code: Some("1040".into()), ..DbError::new(ErrorKind::Connect, "too many") };
        assert!(answers(Err(refused)));
        assert!(!answers(Err(DbError::new(ErrorKind::Connect, "no answer within 10000 ms"))));
    }
}
