//! What only a worker by itself has.

use super::checks::not_empty;
use connect_api::config::{ConfigKey, ConfigValueType as Ty, Importance, Validator};

pub(super) const STANDALONE: [ConfigKey; 1] = [ConfigKey::new(
    "offset.storage.file.filename",
    Ty::String,
    "The file with the offsets of source connectors, in the form of Java's worker. Sinks keep theirs in Kafka.",
)
.required()
.valid(Validator::Check(not_empty))
.importance(Importance::High)];
