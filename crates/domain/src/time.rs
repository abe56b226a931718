//! Points in time, to the millisecond.

use std::time::Duration;

/// Milliseconds since the Unix epoch, UTC.
///
/// Everything that is stored or shown has this precision, so that a value read back from any database equals the one
/// that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last millisecond of the year 9999, the largest value: RFC 3339 has four digits for a year.
    const MAX: i64 = 253_402_300_799_999;

    /// From milliseconds since the Unix epoch; values before it or after the year 9999 are moved to the nearest end.
    pub const fn from_millis(millis: i64) -> Self {
        if millis < 0 {
            Self(0)
        } else if millis > Self::MAX {
            Self(Self::MAX)
        } else {
            Self(millis)
        }
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This time and `duration` more, to the whole millisecond.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// This time less `duration`, to the whole millisecond.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_sub(millis))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_in_range() {
        assert_eq!(Timestamp::from_millis(-5).as_millis(), 0);
        assert_eq!(Timestamp::from_millis(i64::MAX), Timestamp::from_millis(Timestamp::MAX));
        assert_eq!(Timestamp::from_millis(5).minus(Duration::from_secs(1)).as_millis(), 0);
        assert_eq!(
            Timestamp::from_millis(i64::MAX).plus(Duration::MAX).as_millis(),
            Timestamp::MAX
        );
    }

    #[test]
    fn measures_forwards_only() {
        let (a, b) = (Timestamp::from_millis(1_000), Timestamp::from_millis(3_500));
        assert_eq!(b.since(a), Duration::from_millis(2_500));
        assert_eq!(a.since(b), Duration::ZERO);
        assert_eq!(a.plus(Duration::from_millis(2_500)), b);
    }
}
