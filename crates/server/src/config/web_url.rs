use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;
use thiserror::Error;

/// The address of a web service: `http://` or `https://`, a host, perhaps a port and a path; no slash at the end, no
/// user, no query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebUrl(String);

impl WebUrl {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, unless it is an address.
    pub fn host_name(&self) -> Option<&str> {
        let (_, place) = self.0.split_once("://")?;
        let host = place.split(['/', ':']).next()?;
        let is_name = !host.starts_with('[') && host.parse::<Ipv4Addr>().is_err();
        is_name.then_some(host)
    }

    /// Whether it is one without TLS.
    pub fn is_plain(&self) -> bool {
        self.0.starts_with("http://")
    }
}

/// A text that is no such address. Shows nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an address like https://chat.example.org, without user and query")]
pub struct WebUrlError;

impl FromStr for WebUrl {
    type Err = WebUrlError;

    fn from_str(text: &str) -> Result<Self, WebUrlError> {
        let text = text.trim_end_matches('/');
        let place = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let place = place.ok_or(WebUrlError)?;
        let harmless = |c: char| c.is_ascii_graphic() && !matches!(c, '@' | '?' | '#' | '"' | '<' | '>' | '\\');
        if place.is_empty() || place.starts_with([':', '/']) || !place.chars().all(harmless) {
            return Err(WebUrlError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in [
            "https://chat.example.org",
            "http://[::1]:8080",
            "https://example.org/chat",
        ] {
            assert_eq!(text.parse::<WebUrl>().unwrap().as_str(), text);
        }
        let slash: WebUrl = "http://localhost:8080/".parse().unwrap();
        assert_eq!(slash.as_str(), "http://localhost:8080");
        for bad in [
            "",
            "https://",
            "chat.example.org",
            "ftp://x",
            "https:///x",
            "https://:80",
            "https://a b",
            "https://ana:secret@x",
            "https://x?y",
        ] {
            assert_eq!(bad.parse::<WebUrl>(), Err(WebUrlError), "{bad}");
        }
    }
}
