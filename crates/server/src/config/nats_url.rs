use super::{percent, place};
use std::fmt;
use tertulia_adapters_events::NatsCredentials;
use thiserror::Error;

/// The NATS server over which processes tell each other what happens. Shows itself without password and token.
#[derive(Clone, PartialEq, Eq)]
pub struct NatsUrl {
    /// Whether to insist on TLS: `tls://` does.
    pub tls: bool,
    /// The server's name or address; an IPv6 address without brackets.
    pub host: String,
    /// The port, if it isn't the usual one.
    pub port: Option<u16>,
    /// How to get in.
    pub credentials: Option<NatsCredentials>,
    /// The subject, if it isn't the usual one.
    pub subject: Option<String>,
}

/// Why a text is no address of a NATS server. Shows nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NatsUrlError {
    /// None of the two schemes.
    #[error("give nats://HOST:PORT or tls://HOST:PORT, with USER:PASSWORD@ or TOKEN@ before the host if need be")]
    Scheme,
    /// An empty user, password or token, or a bad encoding.
    #[error(
        "before the '@' comes USER:PASSWORD or TOKEN; '@', ':', '/' and '%' in them are written as %40, %3A, %2F and %25"
    )]
    Credentials,
    /// No host, or something behind it that is no port.
    #[error("behind the credentials comes HOST or HOST:PORT, and perhaps /SUBJECT")]
    Place,
    /// A subject that can't be one.
    #[error("a subject is made of letters, digits, '-' and '_', with '.' between its parts")]
    Subject,
}

impl NatsUrl {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, NatsUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(NatsUrlError::Scheme)?;
        let tls = match scheme {
            "nats" => false,
            "tls" => true,
            _ => return Err(NatsUrlError::Scheme),
        };
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (Some(read_credentials(credentials)?), rest),
            None => (None, rest),
        };
        let (place, subject) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = place::read(place).ok_or(NatsUrlError::Place)?;
        let subject = (!subject.is_empty()).then_some(subject);
        if subject.is_some_and(|subject| !is_subject(subject)) {
            return Err(NatsUrlError::Subject);
        }
        Ok(Self {
            tls,
            host,
            port,
            credentials,
            subject: subject.map(str::to_owned),
        })
    }
}

fn read_credentials(text: &str) -> Result<NatsCredentials, NatsUrlError> {
    let decode = |text: &str| percent::decode(text).filter(|text| !text.is_empty());
    let credentials = match text.split_once(':') {
        Some((user, password)) => decode(user)
            .zip(decode(password))
            .map(|(user, password)| NatsCredentials::Password { user, password }),
        None => decode(text).map(NatsCredentials::Token),
    };
    credentials.ok_or(NatsUrlError::Credentials)
}

fn is_subject(text: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    text.split('.').all(|part| !part.is_empty() && part.chars().all(known))
}

impl fmt::Display for NatsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.tls { "tls://" } else { "nats://" })?;
        match &self.credentials {
            Some(NatsCredentials::Password { user, .. }) => write!(f, "{}:***@", percent::encode(user))?,
            Some(NatsCredentials::Token(_)) => f.write_str("***@")?,
            None => {}
        }
        place::write(f, &self.host, self.port)?;
        match &self.subject {
            Some(subject) => write!(f, "/{subject}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for NatsUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NatsUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, tls, host, port, subject) in [
            ("nats://bus.example.org", false, "bus.example.org", None, None),
            ("tls://bus:4443/", true, "bus", Some(4_443), None),
            (
                "nats://[::1]:4222/chat.events-1",
                false,
                "::1",
                Some(4_222),
                Some("chat.events-1"),
            ),
        ] {
            let url = NatsUrl::parse(text).unwrap();
            assert_eq!((url.tls, url.host.as_str(), url.port), (tls, host, port));
            assert_eq!((url.subject.as_deref(), url.credentials.as_ref()), (subject, None));
            assert_eq!(url.to_string(), text.trim_end_matches('/'));
        }
    }

    #[test]
    fn secrets_are_read_and_not_shown() {
        let url = NatsUrl::parse("nats://ana%40home:s%3Acr%25t@bus:4222").unwrap();
        let (user, password) = ("ana@home".to_owned(), "s:cr%t".to_owned());
        assert_eq!(url.credentials, Some(NatsCredentials::Password { user, password }));
        assert_eq!(format!("{url:?}"), "NatsUrl(nats://ana%40home:***@bus:4222)");
        let url = NatsUrl::parse("tls://t%2Fken@bus/chat").unwrap();
        assert_eq!(url.credentials, Some(NatsCredentials::Token("t/ken".to_owned())));
        assert_eq!(url.to_string(), "tls://***@bus/chat");
    }

    #[test]
    fn errors_keep_secrets() {
        for bad in [
            "",
            "bus.example.org",
            "http://bus",
            "nats://",
            "nats://@bus",
            "nats://:secret@bus",
            "nats://ana:@bus",
            "nats://ana:secret@",
            "nats://secret%ZZ@bus",
            "nats://secret@bus:port",
            "nats://secret@bus/chat.*",
            "nats://secret@bus/a/b",
            "nats://[::1",
        ] {
            let error = NatsUrl::parse(bad).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{bad}: {error}");
        }
    }
}
