use super::values::Span;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use tertulia_adapters_http::Rate;
use thiserror::Error;

/// So many of something in some time: `600/m`, `10/s`, `5000/12h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(Rate);

impl Limit {
    /// The rate.
    pub fn get(self) -> Rate {
        self.0
    }
}

impl From<Rate> for Limit {
    fn from(rate: Rate) -> Self {
        Self(rate)
    }
}

/// A text that is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a number and a time like 10/s, 600/m, 600/60s or 5000/12h")]
pub struct LimitError;

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let (requests, time) = text.split_once('/').ok_or(LimitError)?;
        let requests: NonZeroU32 = requests.parse().map_err(|_| LimitError)?;
        // `600/m` is `600/1m`.
        let number = match time.as_bytes() {
            [] => return Err(LimitError),
            [b'0'..=b'9', ..] => "",
            _ => "1",
        };
        let per: Span = format!("{number}{time}").parse().map_err(|_| LimitError)?;
        Ok(Self(Rate::new(requests, per.get())))
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.requests, Span::from(self.0.per))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        for (text, shown) in [
            ("10/s", "10/1s"),
            ("600/m", "600/60s"),
            ("600/60", "600/60s"),
            ("5000/12h", "5000/43200s"),
        ] {
            assert_eq!(text.parse::<Limit>().unwrap().to_string(), shown);
        }
        for bad in [
            "",
            "600",
            "0/s",
            "600/",
            "/m",
            "-1/s",
            "600/year",
            "600/0s",
            "600 / m",
            "99999999999/s",
        ] {
            assert_eq!(bad.parse::<Limit>(), Err(LimitError), "{bad:?}");
        }
    }
}
