//! The tables of the worker's keys.

mod checks;
mod clients;
mod common;
mod distributed;
mod effect;
mod standalone;

pub(super) use clients::is_client_key;
pub use effect::{REFUSED, WITHOUT_EFFECT};
pub(super) use effect::{notes, unsupported};

use connect_api::ConfigDef;
use connect_api::config::ConfigKey;

/// What every worker reads.
pub static COMMON_CONFIG: ConfigDef = ConfigDef::new(&common::COMMON);

/// Settings of the worker's own Kafka clients.
pub static CLIENT_CONFIG: ConfigDef = ConfigDef::new(&clients::CLIENTS);

/// What only a worker by itself reads ...
pub static STANDALONE_ONLY_CONFIG: ConfigDef = ConfigDef::new(&standalone::STANDALONE);

/// ... and what only a worker of a cluster does.
pub static DISTRIBUTED_ONLY_CONFIG: ConfigDef = ConfigDef::new(&distributed::DISTRIBUTED);

const SHARED: usize = common::COMMON.len() + clients::CLIENTS.len();

static STANDALONE_KEYS: [ConfigKey; SHARED + standalone::STANDALONE.len()] = joined(&standalone::STANDALONE);
static DISTRIBUTED_KEYS: [ConfigKey; SHARED + distributed::DISTRIBUTED.len()] =
    joined(&distributed::DISTRIBUTED);

/// All keys of a worker by itself.
pub static STANDALONE_CONFIG: ConfigDef = ConfigDef::new(&STANDALONE_KEYS);

/// All keys of a worker of a cluster.
pub static DISTRIBUTED_CONFIG: ConfigDef = ConfigDef::new(&DISTRIBUTED_KEYS);

/// The shared keys, then those of one mode.
const fn joined<const ALL: usize>(own: &[ConfigKey]) -> [ConfigKey; ALL] {
    let mut all = [common::COMMON[0]; ALL];
    let mut at = 0;
    while at < ALL {
        all[at] = if at < common::COMMON.len() {
            common::COMMON[at]
        } else if at < SHARED {
            clients::CLIENTS[at - common::COMMON.len()]
        } else {
            own[at - SHARED]
        };
        at += 1;
    }
    all
}

/// Whether a worker of the other mode would read the key.
fn of_the_other_mode(table: &ConfigDef, key: &str) -> Option<&'static str> {
    if table.key(key).is_some() {
        return None;
    }
    if STANDALONE_ONLY_CONFIG.key(key).is_some() {
        return Some("only a standalone worker reads it");
    }
    DISTRIBUTED_ONLY_CONFIG.key(key).map(|_| "only a distributed worker reads it")
}
