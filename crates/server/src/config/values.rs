//! What a setting may be. Each kind of value is read from text, whether it comes from the command line, from the
//! environment or from a file.

use clap::ValueEnum;
use serde::Deserializer;
use serde::de::{Error, Visitor};
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU16;
use std::str::FromStr;
use std::time::Duration;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// A number of things: 1 to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count<const MAX: u16>(NonZeroU16);

impl<const MAX: u16> Count<MAX> {
    /// The number.
    pub fn get(self) -> NonZeroU16 {
        self.0
    }
}

/// A text that is no number within the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a number from 1 to {0}")]
pub struct CountError(u16);

impl<const MAX: u16> FromStr for Count<MAX> {
    type Err = CountError;

    fn from_str(text: &str) -> Result<Self, CountError> {
        match text.parse::<NonZeroU16>() {
            Ok(number) if number.get() <= MAX => Ok(Self(number)),
            _ => Err(CountError(MAX)),
        }
    }
}

/// A length of time in whole seconds, at least one and at most ten years: `90`, `90s`, `15m`, `12h`, `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(Duration);

impl Span {
    const MOST: Duration = Duration::from_hours(10 * 365 * 24);

    /// The length.
    pub fn get(self) -> Duration {
        self.0
    }
}

impl From<Duration> for Span {
    fn from(length: Duration) -> Self {
        Self(length.clamp(Duration::from_secs(1), Self::MOST))
    }
}

/// A text that is no length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a time like 90s, 15m, 12h or 30d, from 1 second to 3650 days")]
pub struct SpanError;

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
            Some(end) => text.split_at(end),
            None => (text, "s"),
        };
        let seconds: u64 = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(SpanError),
        };
        let length = number.parse().ok().and_then(|n: u64| n.checked_mul(seconds));
        match length.map(Duration::from_secs) {
            Some(length) if length > Duration::ZERO && length <= Self::MOST => Ok(Self(length)),
            _ => Err(SpanError),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0.as_secs())
    }
}

/// A number of bytes, at least one and at most 1 TiB: `900`, `64KiB`, `25MiB`, `2GiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(u64);

impl Size {
    const MOST: u64 = 1 << 40;
    const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

    /// The bytes.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for Size {
    fn from(bytes: u64) -> Self {
        Self(bytes.clamp(1, Self::MOST))
    }
}

/// A text that is no number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a size like 900B, 64KiB, 25MiB or 2GiB, from 1 byte to 1024GiB")]
pub struct SizeError;

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
            Some(end) => text.split_at(end),
            None => (text, "B"),
        };
        let (_, factor) = Self::UNITS
            .into_iter()
            .find(|(name, _)| *name == unit)
            .ok_or(SizeError)?;
        match number.parse().ok().and_then(|n: u64| n.checked_mul(factor)) {
            Some(bytes @ 1..=Self::MOST) => Ok(Self(bytes)),
            _ => Err(SizeError),
        }
    }
}

/// In the largest unit of which it is a whole number.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = Self::UNITS
            .into_iter()
            .find(|(_, factor)| self.0.is_multiple_of(*factor));
        let (unit, factor) = fits.unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / factor)
    }
}

/// Which log lines are written: directives like `info` or `warn,tertulia_server=debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl LogFilter {
    /// The directives.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info,actix_server=warn,async_nats=warn".to_owned())
    }
}

impl FromStr for LogFilter {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        EnvFilter::try_new(text).map(|_| Self(text.to_owned()))
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        <Self as ValueEnum>::from_str(text, false).map_err(|_| "must be text or json".to_owned())
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// A text that may hold a password: it does not show itself, and is not judged where the judge would show it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Reads a value of a file: a text, or a number or a truth value as if it were one.
pub(super) fn from_file<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    struct Scalar<T>(PhantomData<T>);

    impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Scalar<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text, a whole number, true or false")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_bool<E: Error>(self, truth: bool) -> Result<T, E> {
            self.visit_str(if truth { "true" } else { "false" })
        }
    }

    deserializer.deserialize_any(Scalar(PhantomData)).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, seconds) in [
            ("1", 1),
            ("90s", 90),
            ("15m", 900),
            ("12h", 43_200),
            ("30d", 2_592_000),
            ("3650d", 315_360_000),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.get(), Duration::from_secs(seconds), "{text}");
            assert_eq!(span.to_string().parse(), Ok(span));
        }
        for bad in [
            "",
            "0",
            "s",
            "-1",
            "1.5h",
            "15 m",
            "15M",
            "3651d",
            "99999999999999999999d",
            "½h",
        ] {
            assert_eq!(bad.parse::<Span>(), Err(SpanError), "{bad:?}");
        }
    }

    #[test]
    fn sizes() {
        for (text, bytes, shown) in [
            ("1", 1, "1B"),
            ("900B", 900, "900B"),
            ("64KiB", 65_536, "64KiB"),
            ("2048KiB", 2_097_152, "2MiB"),
            ("1024GiB", 1 << 40, "1024GiB"),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.get(), size.to_string().as_str()), (bytes, shown));
        }
        for bad in [
            "",
            "0",
            "MiB",
            "-1",
            "1.5MiB",
            "25 MiB",
            "25MB",
            "1025GiB",
            "99999999999999999999GiB",
        ] {
            assert_eq!(bad.parse::<Size>(), Err(SizeError), "{bad:?}");
        }
    }

    #[test]
    fn counts() {
        let read = |text: &str| text.parse::<Count<512>>().map(|count| count.get().get());
        assert_eq!((read("1"), read("512")), (Ok(1), Ok(512)));
        for bad in ["0", "513", "-1", "", "two"] {
            assert_eq!(read(bad), Err(CountError(512)), "{bad}");
        }
    }

    #[test]
    fn log_filters() {
        assert!("warn,tertulia_server=debug".parse::<LogFilter>().is_ok());
        assert!("tertulia=loud".parse::<LogFilter>().is_err());
    }
}
