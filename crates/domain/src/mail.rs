//! Mails that the service sends.

use crate::ids::MailId;
use crate::time::Timestamp;
use crate::user::Email;
use std::fmt;
use std::time::Duration;

/// A mail to be sent: plain text. It may hold secrets, so `Debug` does not show what it says.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The identifier; also the mail's Message-ID, so that a mail sent twice can be told.
    pub id: MailId,
    /// Whom to.
    pub to: Email,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("id", &self.id)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

/// How long a mail that can't be sent is tried again.
pub const GIVE_UP_AFTER: Duration = Duration::from_hours(3 * 24);

/// When to try again after `attempts` failures: 10 seconds, doubled with each, an hour at most. `None` when the mail is
/// too old to be of use.
pub fn retry_at(created_at: Timestamp, attempts: u32, now: Timestamp) -> Option<Timestamp> {
    let wait = Duration::from_secs(10).saturating_mul(1 << attempts.saturating_sub(1).min(16));
    if now.since(created_at) >= GIVE_UP_AFTER {
        None
    } else {
        Some(now.plus(wait.min(Duration::from_hours(1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_and_gives_up() {
        let start = Timestamp::from_millis(0);
        let wait = |attempts| retry_at(start, attempts, start).map(|at| at.since(start).as_secs());
        assert_eq!(
            [wait(1), wait(2), wait(3), wait(30)],
            [Some(10), Some(20), Some(40), Some(3_600)]
        );
        assert_eq!(retry_at(start, 5, start.plus(GIVE_UP_AFTER)), None);
    }
}
