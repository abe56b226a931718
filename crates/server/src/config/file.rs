//! The configuration file.

use super::{ConfigError, Settings};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// Read without being asked for, if it is there.
const DEFAULT: &str = "tertulia.toml";

/// Reads the file that was named, or else the default one if there is one.
pub(super) fn read(named: Option<&Path>) -> Result<Settings, ConfigError> {
    let path = named.unwrap_or(Path::new(DEFAULT));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => return Ok(Settings::default()),
        Err(source) => {
            return Err(ConfigError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    parse(&text).map_err(|reason| ConfigError::File {
        path: path.to_owned(),
        reason,
    })
}

/// The error names line and key and shows nothing else of the file, which may hold a password.
fn parse(text: &str) -> Result<Settings, String> {
    toml::from_str(text).map_err(|mut error: toml::de::Error| {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| before.matches('\n').count() + 1);
        error.set_input(None);
        let reason = error.to_string().trim().replace('\n', " ");
        match line {
            Some(line) => format!("line {line}: {reason}"),
            None => reason,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_need_no_quotes() {
        let settings = parse("workers = 3\naccess_token_ttl = 60\nsession_ttl = \"12h\"").unwrap();
        assert_eq!(settings.workers.unwrap().get().get(), 3);
        assert_eq!(settings.access_token_ttl.unwrap().get().as_secs(), 60);
        assert_eq!(settings.session_ttl.unwrap().get().as_secs(), 43_200);
        assert!(settings.listen.is_none());
    }

    #[test]
    fn errors_name_line_and_key() {
        for (text, parts) in [
            ("\nlisten = \"here\"", ["line 2", "listen"]),
            ("workers = 0", ["line 1", "workers"]),
            ("workers = true", ["line 1", "workers"]),
            ("# x\n\nlisen = \"127.0.0.1:80\"", ["line 3", "unknown field `lisen`"]),
            ("log_format = \"xml\"", ["log_format", "text or json"]),
            ("config = \"other.toml\"", ["line 1", "unknown field `config`"]),
        ] {
            let error = parse(text).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn errors_keep_secrets() {
        for text in [
            "database_url = \"postgres://ana:secret@db",
            "database_url = [\"secret\"]",
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("line 1") && !error.contains("secret"), "{error}");
        }
    }
}
