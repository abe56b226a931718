use std::fmt;
use std::path::PathBuf;
use thiserror::Error;

/// Where the data is. Shows itself without password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite://PATH`: a file. The path is taken as it stands, relative to the working directory unless it begins with a
    /// slash.
    Sqlite(PathBuf),
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?PARAMETERS`: a server, in libpq's form of a URI.
    Postgres(String),
}

/// Why a text is no address of a database. Shows nothing of it that may be secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DatabaseUrlError {
    /// Neither of the two.
    #[error("unknown kind of database {0:?}: give sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE")]
    Scheme(String),
    /// No scheme at all.
    #[error("not a database URL: give sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE")]
    NoScheme,
    /// `sqlite://` and nothing else.
    #[error("the path is missing: give sqlite://PATH, like sqlite://data/tertulia.db")]
    NoPath,
    /// Every connection would have a database of its own.
    #[error("SQLite in memory is not supported: give the path of a file, like sqlite://data/tertulia.db")]
    InMemory,
}

impl DatabaseUrl {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(DatabaseUrlError::NoScheme)?;
        match scheme {
            "sqlite" if rest.is_empty() => Err(DatabaseUrlError::NoPath),
            "sqlite" if rest == ":memory:" => Err(DatabaseUrlError::InMemory),
            "sqlite" => Ok(Self::Sqlite(rest.into())),
            "postgres" | "postgresql" => Ok(Self::Postgres(text.to_owned())),
            other => Err(DatabaseUrlError::Scheme(other.chars().take(20).collect())),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => {
                // Parameters can hold passwords too.
                let url = url.split_once('?').map_or(url.as_str(), |(address, _)| address);
                let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
                match rest.rsplit_once('@') {
                    Some((user, place)) => match user.split_once(':') {
                        Some((name, _)) => write!(f, "{scheme}://{name}:***@{place}"),
                        None => write!(f, "{scheme}://{user}@{place}"),
                    },
                    None => write!(f, "{scheme}://{rest}"),
                }
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_kinds() {
        assert_eq!(
            DatabaseUrl::parse("sqlite://data/tertulia.db"),
            Ok(DatabaseUrl::Sqlite("data/tertulia.db".into()))
        );
        assert_eq!(
            DatabaseUrl::parse("sqlite:///var/lib/tertulia.db"),
            Ok(DatabaseUrl::Sqlite("/var/lib/tertulia.db".into()))
        );
        for url in [
            "postgres://localhost/tertulia",
            "postgresql:///tertulia?host=/run/postgresql",
        ] {
            assert_eq!(DatabaseUrl::parse(url), Ok(DatabaseUrl::Postgres(url.to_owned())));
        }
    }

    #[test]
    fn errors_say_what_to_do_and_keep_secrets() {
        for bad in [
            "",
            "data/tertulia.db",
            "mysql://ana:secret@localhost/x",
            "sqlite://",
            "sqlite://:memory:",
            "secret",
        ] {
            let error = DatabaseUrl::parse(bad).unwrap_err().to_string();
            assert!(error.contains("sqlite://"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            (
                "postgres://ana:s3cr@t@db:5432/x?password=t0p",
                "postgres://ana:***@db:5432/x",
            ),
            ("postgres://ana@db/x", "postgres://ana@db/x"),
            ("postgres://db/x", "postgres://db/x"),
            ("sqlite://data/x.db", "sqlite://data/x.db"),
        ] {
            assert_eq!(DatabaseUrl::parse(url).unwrap().to_string(), shown);
        }
    }
}
