use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use tertulia_adapters_http::contract_names;
use thiserror::Error;

/// A contract with a listener of its own: `company=127.0.0.1:4000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mount {
    /// The name of the contract.
    pub contract: &'static str,
    /// Where to serve it.
    pub address: SocketAddr,
}

/// Why a text is no such thing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MountError {
    /// It lacks the name, or what stands after it is no address with a port.
    #[error("must be a contract and an address like emotechat=127.0.0.1:4000")]
    Form,
    /// There is no contract of that name.
    #[error("there is no such contract; there are: {}", contract_names().collect::<Vec<_>>().join(", "))]
    Contract,
}

impl FromStr for Mount {
    type Err = MountError;

    fn from_str(text: &str) -> Result<Self, MountError> {
        let (name, address) = text.split_once('=').ok_or(MountError::Form)?;
        let contract = contract_names().find(|known| *known == name.trim());
        let contract = contract.ok_or(MountError::Contract)?;
        let address = address.trim().parse().map_err(|_| MountError::Form)?;
        Ok(Self { contract, address })
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.contract, self.address)
    }
}

#[cfg(test)]
mod tests {
    use super::super::List;
    use super::*;

    #[test]
    fn mounts() {
        for (text, shown) in [
            ("", ""),
            ("emotechat=127.0.0.1:4000", "emotechat=127.0.0.1:4000"),
            (
                "emotechat=[::1]:0, emotechat = 0.0.0.0:80",
                "emotechat=[::1]:0,emotechat=0.0.0.0:80",
            ),
        ] {
            assert_eq!(text.parse::<List<Mount>>().unwrap().to_string(), shown);
        }
        for (bad, error) in [
            ("emotechat", MountError::Form),
            ("emotechat=", MountError::Form),
            ("emotechat=localhost:80", MountError::Form),
            ("emotechat=127.0.0.1", MountError::Form),
            ("=127.0.0.1:80", MountError::Contract),
            ("nobody=127.0.0.1:80", MountError::Contract),
            ("emotechat=127.0.0.1:80,", MountError::Form),
        ] {
            assert_eq!(bad.parse::<List<Mount>>(), Err(error), "{bad}");
        }
    }
}
