use async_nats::ServerAddr;
use std::fmt;
use thiserror::Error;
use uuid::Uuid;

/// Which NATS server, and how to talk to it.
#[derive(Debug, Clone)]
pub struct NatsOptions {
    /// The server's name or address; an IPv6 address without brackets. Others of its cluster it tells itself.
    pub host: String,
    /// The port, if it isn't the usual one.
    pub port: Option<u16>,
    /// Whether to insist on TLS, with a certificate from one of the system's authorities. A server that wants TLS gets it
    /// in any case.
    pub tls: bool,
    /// How to get in.
    pub credentials: Option<NatsCredentials>,
    /// The subject that the processes share; `tertulia` if it is left out. Those with other subjects don't hear them.
    pub subject: Option<String>,
    /// What this process is called, and no other.
    pub node: Uuid,
}

/// What the server wants to know. Shows no secrets.
#[derive(Clone, PartialEq, Eq)]
pub enum NatsCredentials {
    /// A user with a password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// A token.
    Token(String),
}

impl fmt::Debug for NatsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { user, .. } => write!(f, "Password({user:?}, …)"),
            Self::Token(_) => f.write_str("Token(…)"),
        }
    }
}

/// Why a bus can't even be tried.
#[derive(Debug, Error)]
pub enum NatsSetupError {
    /// A host that can't be one.
    #[error("no address of a server")]
    Address(#[source] std::io::Error),
    /// The subject is empty, or has wildcards, empty parts or blanks in it.
    #[error("a subject is made of words of letters, digits, '-' and '_', with '.' between them")]
    Subject,
    /// The client would not start.
    #[error("the client did not start")]
    Client(#[source] async_nats::ConnectError),
    /// It would not listen.
    #[error("the client did not listen")]
    Subscribe(#[source] async_nats::SubscribeError),
}

impl NatsOptions {
    /// Without credentials: the client shows addresses in its log.
    pub(super) fn address(&self) -> Result<ServerAddr, NatsSetupError> {
        let scheme = if self.tls { "tls" } else { "nats" };
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let port = self.port.unwrap_or(4_222);
        let address = format!("{scheme}://{host}:{port}").parse();
        address.map_err(NatsSetupError::Address)
    }

    pub(super) fn subject(&self) -> Result<String, NatsSetupError> {
        let subject = self.subject.as_deref().unwrap_or("tertulia");
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let word = |part: &str| !part.is_empty() && part.chars().all(known);
        if subject.split('.').all(word) {
            Ok(subject.to_owned())
        } else {
            Err(NatsSetupError::Subject)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(host: &str, tls: bool, subject: Option<&str>) -> NatsOptions {
        NatsOptions {
            host: host.to_owned(),
            port: None,
            tls,
            credentials: None,
            subject: subject.map(str::to_owned),
            node: Uuid::nil(),
        }
    }

    #[test]
    fn addresses() {
        for (host, tls) in [("nats.example.org", true), ("10.0.0.1", false), ("::1", true)] {
            let address = options(host, tls, None).address().unwrap();
            assert_eq!(
                (address.host(), address.port(), address.tls_required()),
                (host, 4_222, tls)
            );
        }
        assert!(options("a b", false, None).address().is_err());
    }

    #[test]
    fn subjects() {
        let subject = |text| options("x", false, text).subject().ok();
        assert_eq!(subject(None).as_deref(), Some("tertulia"));
        assert_eq!(subject(Some("chat.events-1")).as_deref(), Some("chat.events-1"));
        for bad in ["", ".", "chat.", "chat.*", ">", "two words", "línea"] {
            assert_eq!(subject(Some(bad)), None, "{bad}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let mut options = options("nats", false, None);
        for credentials in [
            NatsCredentials::Token("secret".to_owned()),
            NatsCredentials::Password {
                user: "ana".to_owned(),
                password: "secret".to_owned(),
            },
        ] {
            options.credentials = Some(credentials);
            assert!(!format!("{options:?}").contains("secret"));
        }
    }
}
