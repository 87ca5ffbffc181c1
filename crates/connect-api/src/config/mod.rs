//! Configuration as tables: `org.apache.kafka.common.config.ConfigDef`.
//!
//! A plugin states its keys once, in a static [`ConfigDef`]; defaults, validation and reference docs come from it.

mod def;
mod parsed;

pub use def::{ConfigDef, ConfigKey, ConfigValueType, Default, Importance, Recommended, Validator, Width};
pub use parsed::{Assessed, ConfigFault, ParsedConfig};

/// A configuration as users write it: every value is text. Keeps the order of the keys.
pub type ConfigMap = indexmap::IndexMap<String, String>;

/// What stands in the place of a password wherever a configuration is shown (`Password.HIDDEN` in Java).
pub const HIDDEN: &str = "[hidden]";
