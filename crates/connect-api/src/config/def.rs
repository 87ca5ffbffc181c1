//! The table of a plugin's keys.

use super::{Assessed, ConfigFault, ConfigMap, ParsedConfig};

/// `ConfigDef.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigValueType {
    Boolean,
    String,
    Int,
    Short,
    Long,
    Double,
    /// Comma-separated, blanks around the items removed.
    List,
    Class,
    /// A string that is never shown.
    Password,
}

impl ConfigValueType {
    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Short => "SHORT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    Required,
    /// No value: Java's `null`.
    Null,
    /// The default as a user would write it.
    Value(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    High,
    Medium,
    Low,
}

impl Importance {
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "HIGH",
            Self::Medium => "MEDIUM",
            Self::Low => "LOW",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    None,
    Short,
    Medium,
    Long,
}

impl Width {
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Short => "SHORT",
            Self::Medium => "MEDIUM",
            Self::Long => "LONG",
        }
    }
}

/// A rule for one value beyond its type.
#[derive(Clone, Copy)]
pub enum Validator {
    Any,
    NonEmpty,
    /// Inclusive bounds.
    Between(i64, i64),
    AtLeast(i64),
    /// One of these, whatever the case.
    OneOfIgnoreCase(&'static [&'static str]),
    OneOf(&'static [&'static str]),
    /// Returns what is wrong with the value.
    Check(fn(&str) -> Result<(), String>),
}

/// The values that a form offers.
#[derive(Clone, Copy)]
pub enum Recommended {
    Always(&'static [&'static str]),
    /// They hang on other keys.
    Beside(fn(&ConfigMap) -> &'static [&'static str]),
}

#[derive(Clone, Copy)]
pub struct ConfigKey {
    pub name: &'static str,
    pub ty: ConfigValueType,
    pub default: Default,
    pub validator: Validator,
    pub importance: Importance,
    /// Empty for none.
    pub group: &'static str,
    /// The place within the group; where it is not said, the key's place among those of its group in the table, from 1 on.
    pub order: Option<i32>,
    pub width: Width,
    pub display_name: &'static str,
    /// Keys whose meaning hangs on this one.
    pub dependents: &'static [&'static str],
    pub recommended: Recommended,
    /// Whether the key means anything beside these others; a form hides it where it does not.
    pub visible: Option<fn(&ConfigMap) -> bool>,
    pub doc: &'static str,
}

impl ConfigKey {
    /// An optional key of low importance; the builder methods say the rest. `const`, so that a table is a static.
    pub const fn new(name: &'static str, ty: ConfigValueType, doc: &'static str) -> Self {
        Self {
            name,
            ty,
            default: Default::Null,
            validator: Validator::Any,
            importance: Importance::Low,
            group: "",
            order: None,
            width: Width::None,
            display_name: name,
            dependents: &[],
            recommended: Recommended::Always(&[]),
            visible: None,
            doc,
        }
    }

    pub const fn required(mut self) -> Self {
        self.default = Default::Required;
        self
    }

    pub const fn default(mut self, value: &'static str) -> Self {
        self.default = Default::Value(value);
        self
    }

    pub const fn valid(mut self, validator: Validator) -> Self {
        self.validator = validator;
        self
    }

    pub const fn importance(mut self, importance: Importance) -> Self {
        self.importance = importance;
        self
    }

    pub const fn group(mut self, group: &'static str, display_name: &'static str, width: Width) -> Self {
        self.group = group;
        self.display_name = display_name;
        self.width = width;
        self
    }

    pub const fn order(mut self, order: i32) -> Self {
        self.order = Some(order);
        self
    }

    pub const fn dependents(mut self, keys: &'static [&'static str]) -> Self {
        self.dependents = keys;
        self
    }

    pub const fn recommend(mut self, values: &'static [&'static str]) -> Self {
        self.recommended = Recommended::Always(values);
        self
    }

    pub const fn recommend_beside(mut self, values: fn(&ConfigMap) -> &'static [&'static str]) -> Self {
        self.recommended = Recommended::Beside(values);
        self
    }

    pub const fn visible_if(mut self, visible: fn(&ConfigMap) -> bool) -> Self {
        self.visible = Some(visible);
        self
    }

    /// The values that a form offers beside those of other keys.
    pub fn recommended(&self, config: &ConfigMap) -> &'static [&'static str] {
        match self.recommended {
            Recommended::Always(values) => values,
            Recommended::Beside(values) => values(config),
        }
    }

    /// What `given` means for this key, told as far as it can be understood.
    pub fn assess(&self, given: Option<&str>) -> Assessed {
        super::parsed::assess(self, given)
    }
}

/// A plugin's keys, in the order of its documentation.
pub struct ConfigDef {
    pub keys: &'static [ConfigKey],
}

impl ConfigDef {
    pub const fn new(keys: &'static [ConfigKey]) -> Self {
        Self { keys }
    }

    pub fn key(&self, name: &str) -> Option<&'static ConfigKey> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Reads every key of the table from `config`; keys the table does not know are left alone. All faults are
    /// returned, not only the first.
    pub fn parse(&self, config: &ConfigMap) -> Result<ParsedConfig, Vec<ConfigFault>> {
        ParsedConfig::read(self, config)
    }
}
