use super::WebUrl;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The origin of a web page as browsers name it: scheme, host, and the port unless it is the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// The origin.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be origins parted by commas, like https://chat.example.org,http://localhost:3000")]
pub struct OriginError;

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let url: WebUrl = text.parse().map_err(|_| OriginError)?;
        let url = url.as_str().to_ascii_lowercase();
        let (scheme, place) = url.split_once("://").ok_or(OriginError)?;
        // The colon of a port is the one after the last bracket, if an address has brackets.
        let port = place.rsplit(']').next().and_then(|rest| rest.split_once(':'));
        let own_port = match scheme {
            "https" => "443",
            _ => "80",
        };
        let place = match port {
            Some((_, port)) if port == own_port => place.strip_suffix(&format!(":{port}")).ok_or(OriginError)?,
            Some((_, port)) if port.parse::<u16>().is_err() => return Err(OriginError),
            _ => place,
        };
        if place.contains(['/', '*', ',', '%']) {
            return Err(OriginError);
        }
        Ok(Self(format!("{scheme}://{place}")))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        for (text, shown) in [
            ("https://chat.example.org", "https://chat.example.org"),
            ("https://Chat.example.org:443/", "https://chat.example.org"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://x:80", "https://x:80"),
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_str(), shown);
        }
        for bad in [
            "",
            "*",
            "null",
            "chat.example.org",
            "ftp://x",
            "https://x/path",
            "https://*.example.org",
            "https://x:port",
            "https://x:",
            "https://x:99999",
        ] {
            assert_eq!(bad.parse::<Origin>(), Err(OriginError), "{bad}");
        }
    }
}
