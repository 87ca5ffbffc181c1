//! Secrets from the environment, and only from there: a flag would be seen in the list of processes.

use std::fmt;

/// A text that never shows in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SecretError {
    #[error(
        "the environment variable {0} is not set; give it a random text, the same in every process of the platform"
    )]
    Missing(&'static str),
    #[error("the environment variable {0} has fewer than {1} characters; give it a longer random text")]
    TooShort(&'static str, usize),
    #[error("the environment variable {0} is not valid UTF-8")]
    NotUtf8(&'static str),
}

impl Secret {
    pub fn from_env(variable: &'static str, min_chars: usize) -> Result<Self, SecretError> {
        let text = std::env::var(variable).map_err(|error| match error {
            std::env::VarError::NotPresent => SecretError::Missing(variable),
            std::env::VarError::NotUnicode(_) => SecretError::NotUtf8(variable),
        })?;
        if text.chars().count() < min_chars {
            return Err(SecretError::TooShort(variable, min_chars));
        }
        Ok(Self(text))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}
