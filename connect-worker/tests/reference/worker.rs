//! docs/reference/worker-config.md

use crate::table;
use connect_api::ConfigDef;
use connect_runtime::config_providers::CLASSES;
use connect_runtime::worker_config::{
    CLIENT_CONFIG, COMMON_CONFIG, DISTRIBUTED_ONLY_CONFIG, REFUSED, STANDALONE_ONLY_CONFIG, WITHOUT_EFFECT,
};

pub(crate) fn tables() -> Vec<(&'static str, &'static ConfigDef)> {
    vec![
        ("Every worker", &COMMON_CONFIG),
        ("Only `connect-worker distributed`", &DISTRIBUTED_ONLY_CONFIG),
        ("Only `connect-worker standalone`", &STANDALONE_ONLY_CONFIG),
        ("The worker's own Kafka clients", &CLIENT_CONFIG),
    ]
}

pub(crate) fn markdown() -> String {
    let mut text = String::from(
        "# Worker configuration

Generated from the tables in `crates/connect-runtime/src/worker_config`; do not edit.

The file is Java's `.properties`, the keys are those of Apache Kafka Connect 4.3. Environment variables `CONNECT_*` win over the
file, as in the container images of Kafka Connect: `CONNECT_GROUP_ID` is `group.id`; one underscore stands for a dot, two for an
underscore, three for a hyphen. `connect-worker check WORKER.properties` says what of a file works here.
",
    );
    for (title, def) in tables() {
        text.push_str(&format!("\n## {title}\n\n{}", table::markdown(def)));
    }
    text.push_str(
        "
## Families of keys

| Keys | Meaning |
|---|---|
| `key.converter.*`, `value.converter.*`, `header.converter.*` | settings of the converter, prefix removed |
| `producer.*`, `consumer.*`, `admin.*` | settings of the Kafka clients of connectors, prefix removed |
| `config.storage.*`, `offset.storage.*`, `status.storage.*` | settings of the internal topics when they are created, such as `config.storage.min.insync.replicas`; distributed only |
| `config.providers.NAME.class`, `config.providers.NAME.param.*` | a config provider |

Classes of config providers, by full or simple name:

",
    );
    for class in CLASSES {
        text.push_str(&format!("- `{class}`\n"));
    }
    text.push_str("\n## Accepted without effect\n\nEach is named in the log when the worker starts.\n\n| Key | Why |\n|---|---|\n");
    for (key, why) in WITHOUT_EFFECT {
        text.push_str(&format!("| `{key}` | {why} |\n"));
    }
    text.push_str("| `ssl.*`, `sasl.*` | this worker cannot do TLS or SASL yet |\n");
    text.push_str("\n## Refused\n\nThey promise what is not there: the worker does not start.\n\n| Key | What to do |\n|---|---|\n");
    for (key, why) in REFUSED {
        text.push_str(&format!("| `{key}` | {why} |\n"));
    }
    text
}
