//! Secrets from the environment, and only from there: a flag would be seen in the list of processes. Where the
//! environment is shown to others, as by `docker inspect`, it names a file instead: `NAME_FILE` in place of `NAME`.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A text that never shows in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error(
        "the environment variable {0} is not set, and {0}_FILE names no file; give it a random text, the same in every \
         process of the platform"
    )]
    Missing(&'static str),
    #[error("{0} has fewer than {1} characters; give it a longer random text")]
    TooShort(&'static str, usize),
    #[error("{0} is not valid UTF-8")]
    NotUtf8(&'static str),
    #[error("{0} and {0}_FILE are both given; leave one of them out")]
    Both(&'static str),
    #[error("{variable}_FILE={} cannot be read ({reason}); name a file that holds the secret", path.display())]
    File { variable: &'static str, path: PathBuf, reason: io::Error },
}

impl Secret {
    pub fn from_env(variable: &'static str, min_chars: usize) -> Result<Self, SecretError> {
        let secret = Self::optional(variable)?.ok_or(SecretError::Missing(variable))?;
        if secret.0.chars().count() < min_chars {
            return Err(SecretError::TooShort(variable, min_chars));
        }
        Ok(secret)
    }

    /// The value of `variable`, or what is in the file that `variable_FILE` names; none if neither is set.
    pub fn optional(variable: &'static str) -> Result<Option<Self>, SecretError> {
        let text = match std::env::var(variable) {
            Ok(text) => Some(text),
            Err(std::env::VarError::NotPresent) => None,
            Err(std::env::VarError::NotUnicode(_)) => return Err(SecretError::NotUtf8(variable)),
        };
        Self::given_or_in_file(text, variable)
    }

    /// As [`Secret::optional`], where the value of `variable` has been read already, or a flag in its place.
    pub fn given_or_in_file(
        given: Option<String>,
        variable: &'static str,
    ) -> Result<Option<Self>, SecretError> {
        let file = std::env::var_os(format!("{variable}_FILE")).filter(|path| !path.is_empty());
        Self::either(variable, given, file.as_deref().map(Path::new))
    }

    fn either(
        variable: &'static str,
        text: Option<String>,
        file: Option<&Path>,
    ) -> Result<Option<Self>, SecretError> {
        match (text, file) {
            (Some(_), Some(_)) => Err(SecretError::Both(variable)),
            (text, None) => Ok(text.map(Self)),
            (None, Some(path)) => {
                let fault = |reason| SecretError::File { variable, path: path.into(), reason };
                let text = String::from_utf8(std::fs::read(path).map_err(fault)?);
                let text = text.map_err(|_| SecretError::NotUtf8(variable))?;
                // editors and `echo` end a file with a line end, which nobody means
                Ok(Some(Self(text.trim_end_matches(['\r', '\n']).to_owned())))
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_from_the_variable_or_from_the_file_never_from_both() {
        let dir = std::env::temp_dir().join(format!("secret-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("token");
        std::fs::write(&file, "open sesame\n").unwrap();

        let either = |text: Option<&str>, file: Option<&Path>| {
            Secret::either("TOKEN", text.map(Into::into), file)
                .map(|secret| secret.map(|secret| secret.0))
                .map_err(|error| error.to_string())
        };
        assert_eq!(either(None, None), Ok(None));
        assert_eq!(either(Some("plain "), None), Ok(Some("plain ".into())));
        assert_eq!(either(None, Some(&file)), Ok(Some("open sesame".into())));
        assert!(
            either(Some("plain"), Some(&file)).unwrap_err().contains("TOKEN and TOKEN_FILE are both given")
        );
        let missing = either(None, Some(&dir.join("none"))).unwrap_err();
        assert!(missing.starts_with("TOKEN_FILE=") && missing.contains("/none cannot be read"), "{missing}");
        // what Docker makes of a mounted file that was not there
        assert!(either(None, Some(&dir)).unwrap_err().contains("cannot be read"));
        std::fs::write(&file, [0xff, 0xfe]).unwrap();
        assert_eq!(either(None, Some(&file)), Err("TOKEN is not valid UTF-8".into()));

        std::fs::remove_dir_all(&dir).unwrap();
    }
}
