//! Where a database is.

use thiserror::Error;

/// Why a database can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConnectError {
    /// Not of the form that libpq reads as a URI.
    #[error("a PostgreSQL database is named by a URL like postgres://user@host:5432/name")]
    NotAUrl,
    /// The connection is to be encrypted, and this program can't.
    #[error(
        "sslmode={0} asks for TLS, which this program was built without: \
         build it with the cargo feature `postgres-tls`, or connect over a private network with sslmode=disable"
    )]
    TlsNotBuiltIn(String),
}

/// What is asked of libpq where the URL says nothing else: to notice within a minute that the other side is gone rather
/// than wait for it for hours.
const DEFAULTS: [(&str, &str); 4] = [
    ("connect_timeout", "2"),
    ("keepalives_idle", "20"),
    ("keepalives_interval", "10"),
    ("keepalives_count", "3"),
];

/// A checked URL.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Location(String);

impl Location {
    pub(crate) fn parse(url: &str) -> Result<Self, ConnectError> {
        if !["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            return Err(ConnectError::NotAUrl);
        }
        let (_, query) = url.split_once('?').unwrap_or((url, ""));
        let parameters: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let mode = parameters.iter().rfind(|(name, _)| *name == "sslmode");
        if let Some((_, mode @ ("require" | "verify-ca" | "verify-full"))) = mode
            && !cfg!(feature = "postgres-tls")
        {
            return Err(ConnectError::TlsNotBuiltIn((*mode).to_owned()));
        }
        let mut complete = url.to_owned();
        for (name, value) in DEFAULTS {
            if !parameters.iter().any(|(given, _)| *given == name) {
                complete.push(if complete.contains('?') { '&' } else { '?' });
                complete.extend([name, "=", value]);
            }
        }
        Ok(Self(complete))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_url_says_stays() {
        let complete = |url| Location::parse(url).unwrap().0;
        assert_eq!(
            complete("postgres://ana:pw@db/x"),
            "postgres://ana:pw@db/x?connect_timeout=2&keepalives_idle=20&keepalives_interval=10&keepalives_count=3"
        );
        assert_eq!(
            complete("postgresql:///x?keepalives_count=9&connect_timeout=30"),
            "postgresql:///x?keepalives_count=9&connect_timeout=30&keepalives_idle=20&keepalives_interval=10"
        );
    }

    #[test]
    fn only_urls_are_taken() {
        for text in ["", "host=db user=ana", "sqlite://x", "Postgres://db/x"] {
            assert!(matches!(Location::parse(text), Err(ConnectError::NotAUrl)), "{text}");
        }
    }

    #[cfg(not(feature = "postgres-tls"))]
    #[test]
    fn tls_that_is_not_built_in_is_told_of() {
        for mode in ["require", "verify-ca", "verify-full"] {
            let error = Location::parse(&format!("postgres://db/x?a=b&sslmode={mode}"))
                .err()
                .unwrap();
            assert_eq!(error, ConnectError::TlsNotBuiltIn(mode.to_owned()));
            assert!(error.to_string().contains("`postgres-tls`"));
        }
        for mode in ["disable", "allow", "prefer"] {
            assert!(Location::parse(&format!("postgres://db/x?sslmode={mode}")).is_ok());
        }
    }
}
