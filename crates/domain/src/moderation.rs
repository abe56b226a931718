//! Blocking, reports, suspension, and the log of such acts.

use crate::ids::{ChatId, MessageId, ReportId, UserId};
use crate::message::Seq;
use crate::text;
use crate::time::Timestamp;
use thiserror::Error;

/// Why somebody reports a message, or acts on a report: 1 to 1,000 characters, of the control characters only newline and tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

/// A text that is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "must have 1 to {} characters, no control characters other than newline and tab",
    Reason::MAX_CHARS
)]
pub struct ReasonError;

impl Reason {
    /// Characters at the most.
    pub const MAX_CHARS: usize = 1_000;

    /// Trims white space from both ends and checks the rest.
    pub fn new(text: &str) -> Result<Self, ReasonError> {
        let text = text.trim();
        let bad = |c: char| text::is_deceptive(c) && !matches!(c, '\n' | '\t');
        if text::is_blank(text) || text.chars().count() > Self::MAX_CHARS || text.chars().any(bad) {
            return Err(ReasonError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A message that somebody finds unacceptable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The identifier.
    pub id: ReportId,
    /// Who reported.
    pub reporter_id: UserId,
    /// The message's chat.
    pub chat_id: ChatId,
    /// The message.
    pub message_id: MessageId,
    /// Its place in the chat.
    pub seq: Seq,
    /// Who sent it.
    pub sender_id: UserId,
    /// What it said when it was reported.
    pub body: Option<String>,
    /// Why.
    pub reason: Reason,
    /// When.
    pub created_at: Timestamp,
    /// What became of it; `None` while it is open.
    pub resolution: Option<Resolution>,
}

/// How a report was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// By whom.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// What was done, in words.
    pub note: Reason,
}

/// What somebody did that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditAction {
    /// A user blocked another.
    Block,
    /// A user unblocked another.
    Unblock,
    /// A user reported a message.
    Report,
    /// An admin settled a report.
    ResolveReport,
    /// An admin suspended a user.
    Suspend,
    /// An admin lifted a suspension.
    Unsuspend,
    /// An admin removed somebody's message.
    RemoveMessage,
}

impl AuditAction {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Block,
        Self::Unblock,
        Self::Report,
        Self::ResolveReport,
        Self::Suspend,
        Self::Unsuspend,
        Self::RemoveMessage,
    ];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "user.block",
            Self::Unblock => "user.unblock",
            Self::Report => "message.report",
            Self::ResolveReport => "report.resolve",
            Self::Suspend => "user.suspend",
            Self::Unsuspend => "user.unsuspend",
            Self::RemoveMessage => "message.remove",
        }
    }

    /// The action of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// One line of the log. Lines are only ever added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Ascending in order of the acts.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor_id: UserId,
    /// What.
    pub action: AuditAction,
    /// To whom: the user concerned.
    pub user_id: UserId,
    /// Which message, where it was about one.
    pub message_id: Option<MessageId>,
    /// Why, where a reason was given.
    pub reason: Option<Reason>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons() {
        assert_eq!(Reason::new(" spam\n").unwrap().as_str(), "spam");
        assert!(Reason::new("two\nlines").is_ok());
        for bad in ["", " ", "a\0b", "a\u{202E}b", &"x".repeat(1_001)] {
            assert_eq!(Reason::new(bad), Err(ReasonError));
        }
    }

    #[test]
    fn actions_have_words() {
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::parse(action.as_str()), Some(action));
        }
    }
}
