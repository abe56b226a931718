use ipnet::IpNet;
use serde::Deserializer;
use serde::de::{Error, SeqAccess, Visitor};
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use thiserror::Error as ThisError;

/// The networks whose word is taken for where a request came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxies(Vec<IpNet>);

/// A text that is no list of networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
#[error("must be networks or addresses parted by commas, like 10.0.0.0/8,::1")]
pub struct ProxiesError;

impl Proxies {
    /// The networks.
    pub fn networks(&self) -> &[IpNet] {
        &self.0
    }

    fn add(&mut self, text: &str) -> Result<(), ProxiesError> {
        let text = text.trim();
        let network = text
            .parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        self.0.push(network.map_err(|_| ProxiesError)?);
        Ok(())
    }
}

impl FromStr for Proxies {
    type Err = ProxiesError;

    fn from_str(text: &str) -> Result<Self, ProxiesError> {
        let mut proxies = Self::default();
        if !text.trim().is_empty() {
            text.split(',').try_for_each(|part| proxies.add(part))?;
        }
        Ok(proxies)
    }
}

impl fmt::Display for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&parts.join(","))
    }
}

/// Reads a value of a file: a text as on the command line, or an array of such.
pub(super) fn from_file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Proxies>, D::Error> {
    struct TextOrList;

    impl<'de> Visitor<'de> for TextOrList {
        type Value = Proxies;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of networks")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Proxies, E> {
            text.parse().map_err(E::custom)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Proxies, A::Error> {
            let mut proxies = Proxies::default();
            while let Some(text) = list.next_element::<String>()? {
                proxies.add(&text).map_err(A::Error::custom)?;
            }
            Ok(proxies)
        }
    }

    deserializer.deserialize_any(TextOrList).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        for (text, shown) in [
            ("", ""),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("127.0.0.1, ::1", "127.0.0.1/32,::1/128"),
            ("fd00::/8,192.168.0.0/16", "fd00::/8,192.168.0.0/16"),
        ] {
            assert_eq!(text.parse::<Proxies>().unwrap().to_string(), shown);
        }
        for bad in ["proxy", "10.0.0.0/33", ",", "10.0.0.1,", "10.0.0"] {
            assert_eq!(bad.parse::<Proxies>(), Err(ProxiesError), "{bad}");
        }
    }
}
