use super::{percent, place};
use std::fmt;
use tertulia_adapters_mail::Encryption;
use thiserror::Error;

/// `smtp`: STARTTLS, without which nothing is said; `smtps`: TLS from the first byte; `smtp+insecure`: none.
const SCHEMES: [(&str, Encryption); 3] = [
    ("smtp", Encryption::StartTls),
    ("smtps", Encryption::Tls),
    ("smtp+insecure", Encryption::None),
];

/// The mail server that takes the mails. Shows itself without password.
#[derive(Clone, PartialEq, Eq)]
pub struct SmtpUrl {
    /// How the connection is protected.
    pub encryption: Encryption,
    /// The server's name or address; an IPv6 address without brackets.
    pub host: String,
    /// The port, if it isn't the usual one.
    pub port: Option<u16>,
    /// User name and password.
    pub credentials: Option<(String, String)>,
}

/// Why a text is no address of a mail server. Shows nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SmtpUrlError {
    /// None of the three schemes.
    #[error(
        "give smtp://USER:PASSWORD@HOST:PORT (STARTTLS), smtps:// (TLS from the start) or smtp+insecure:// (no TLS, for a \
         relay nearby)"
    )]
    Scheme,
    /// A user without password.
    #[error(
        "a user needs a password: smtp://USER:PASSWORD@HOST; '@', ':', '/' and '%' in either are written as %40, %3A, %2F and %25"
    )]
    Credentials,
    /// No host, or something behind it that is no port.
    #[error("behind the user comes HOST or HOST:PORT, and nothing else")]
    Place,
}

impl SmtpUrl {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, SmtpUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(SmtpUrlError::Scheme)?;
        let known = SCHEMES.into_iter().find(|(name, _)| *name == scheme);
        let (_, encryption) = known.ok_or(SmtpUrlError::Scheme)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(read_credentials(credentials)?), place),
            None => (None, rest),
        };
        let (host, port) = place::read(place).ok_or(SmtpUrlError::Place)?;
        Ok(Self {
            encryption,
            host,
            port,
            credentials,
        })
    }
}

fn read_credentials(text: &str) -> Result<(String, String), SmtpUrlError> {
    let (user, password) = text.split_once(':').ok_or(SmtpUrlError::Credentials)?;
    let decode = |text: &str| percent::decode(text).filter(|text| !text.is_empty());
    decode(user).zip(decode(password)).ok_or(SmtpUrlError::Credentials)
}

impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = SCHEMES
            .into_iter()
            .find(|(_, encryption)| *encryption == self.encryption);
        write!(f, "{}://", named.map_or("smtp", |(name, _)| name))?;
        if let Some((user, _)) = &self.credentials {
            write!(f, "{}:***@", percent::encode(user))?;
        }
        place::write(f, &self.host, self.port)
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_kinds() {
        for (text, encryption, port) in [
            ("smtp://mail.example.org", Encryption::StartTls, None),
            ("smtps://mail.example.org:4650/", Encryption::Tls, Some(4_650)),
            ("smtp+insecure://mail.example.org:25", Encryption::None, Some(25)),
        ] {
            let url = SmtpUrl::parse(text).unwrap();
            assert_eq!((url.encryption, url.port), (encryption, port));
            assert_eq!((url.host.as_str(), url.credentials), ("mail.example.org", None));
        }
        assert_eq!(SmtpUrl::parse("smtp://[::1]:2525").unwrap().host, "::1");
    }

    #[test]
    fn passwords_are_read_and_not_shown() {
        let url = SmtpUrl::parse("smtp://ana%40home:s%3Acr%25t@mail:587").unwrap();
        let credentials = ("ana@home".to_owned(), "s:cr%t".to_owned());
        assert_eq!(url.credentials, Some(credentials));
        assert_eq!(url.to_string(), "smtp://ana%40home:***@mail:587");
        assert_eq!(
            SmtpUrl::parse("smtp://[::1]:25").unwrap().to_string(),
            "smtp://[::1]:25"
        );
    }

    #[test]
    fn errors_keep_secrets() {
        for bad in [
            "",
            "mail.example.org",
            "http://mail",
            "smtp://",
            "smtp://ana@mail",
            "smtp://:secret@mail",
            "smtp://ana:secret@",
            "smtp://ana:secret%ZZ@mail",
            "smtp://ana:secret@mail:port",
            "smtp://ana:secret@mail:587/path",
            "smtp://[::1",
        ] {
            let error = SmtpUrl::parse(bad).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{bad}: {error}");
        }
    }
}
