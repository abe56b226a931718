//! Messages and their place in a chat.

use crate::file::File;
use crate::ids::{ChatId, FileId, MessageId, UserId};
use crate::time::Timestamp;
use crate::user::{DisplayName, Username};
use thiserror::Error;

/// A place in a chat: its messages are numbered 1, 2, 3, ... without gaps or repeats. Zero stands for "before the first".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(i64);

impl Seq {
    /// Before the first message.
    pub const ZERO: Self = Self(0);

    /// `None` for a negative number.
    pub const fn new(value: i64) -> Option<Self> {
        if value < 0 { None } else { Some(Self(value)) }
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// How many places lie after `earlier` up to this one; zero when there are none.
    pub const fn distance_from(self, earlier: Self) -> i64 {
        if self.0 > earlier.0 { self.0 - earlier.0 } else { 0 }
    }
}

/// A message, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The identifier.
    pub id: MessageId,
    /// The chat that it stands in.
    pub chat_id: ChatId,
    /// Its place there, at least 1.
    pub seq: Seq,
    /// Who sent it.
    pub sender: Author,
    /// What it says, or that it was deleted.
    pub content: MessageContent,
    /// The message that it answers.
    pub reply_to: Option<ReplyPreview>,
    /// Whom of a group its sender addressed, if they did.
    pub addressee: Option<UserId>,
    /// When it was stored; never decreases along a chat's numbers.
    pub created_at: Timestamp,
    /// When its body last changed.
    pub edited_at: Option<Timestamp>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageContent {
    /// An ordinary message.
    Present {
        /// The text; `None` only for a message that consists of attachments.
        body: Option<MessageBody>,
        /// What hangs on it, in the sender's order.
        attachments: Vec<File>,
    },
    /// A deleted message keeps its place and nothing else.
    Deleted {
        /// When it was deleted.
        at: Timestamp,
    },
}

impl Message {
    /// The text, unless there is none or the message was deleted.
    pub fn body(&self) -> Option<&MessageBody> {
        match &self.content {
            MessageContent::Present { body, .. } => body.as_ref(),
            MessageContent::Deleted { .. } => None,
        }
    }

    /// What hangs on the message; nothing once it was deleted.
    pub fn attachments(&self) -> &[File] {
        match &self.content {
            MessageContent::Present { attachments, .. } => attachments,
            MessageContent::Deleted { .. } => &[],
        }
    }

    /// When the message was deleted, if it was.
    pub fn deleted_at(&self) -> Option<Timestamp> {
        match self.content {
            MessageContent::Present { .. } => None,
            MessageContent::Deleted { at } => Some(at),
        }
    }
}

/// The face of a message's sender. Both names are missing once the account is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The user.
    pub id: UserId,
    /// The user's present username.
    pub username: Option<Username>,
    /// The user's present display name.
    pub display_name: Option<DisplayName>,
    /// The user's present avatar.
    pub avatar: Option<File>,
}

impl Author {
    /// What a client shows that knows display names: the display name, or else the username.
    pub fn shown_name(&self) -> Option<&str> {
        let username = || self.username.as_ref().map(Username::as_str);
        self.display_name.as_ref().map(DisplayName::as_str).or_else(username)
    }

    /// What a client shows that knows usernames: the username, or else the display name.
    pub fn shown_username(&self) -> Option<&str> {
        let display_name = || self.display_name.as_ref().map(DisplayName::as_str);
        self.username.as_ref().map(Username::as_str).or_else(display_name)
    }
}

/// The message that another one answers, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyPreview {
    /// The answered message.
    pub id: MessageId,
    /// Its place in the same chat.
    pub seq: Seq,
    /// Who sent it.
    pub sender: Author,
    /// Its text; `None` once it is deleted.
    pub body: Option<MessageBody>,
}

/// What somebody wants to say: a text, files, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageDraft {
    body: Option<MessageBody>,
    attachments: Vec<FileId>,
}

/// Why something can't be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MessageDraftError {
    /// Neither text nor files.
    #[error("a message needs a body or attachments")]
    Empty,
    /// More than [`File::MAX_PER_MESSAGE`] files.
    #[error("a message can have at most {} attachments", File::MAX_PER_MESSAGE)]
    TooManyAttachments,
}

impl MessageDraft {
    /// Puts a draft together. A file that is named twice hangs on the message once.
    pub fn new(body: Option<MessageBody>, mut attachments: Vec<FileId>) -> Result<Self, MessageDraftError> {
        if attachments.len() > File::MAX_PER_MESSAGE {
            return Err(MessageDraftError::TooManyAttachments);
        }
        let mut known = Vec::with_capacity(attachments.len());
        attachments.retain(|id| {
            !known.contains(id) && {
                known.push(*id);
                true
            }
        });
        if body.is_none() && attachments.is_empty() {
            return Err(MessageDraftError::Empty);
        }
        Ok(Self { body, attachments })
    }

    /// A text without files.
    pub const fn text(body: MessageBody) -> Self {
        Self {
            body: Some(body),
            attachments: Vec::new(),
        }
    }

    /// The text.
    pub const fn body(&self) -> Option<&MessageBody> {
        self.body.as_ref()
    }

    /// The files.
    pub fn attachments(&self) -> &[FileId] {
        &self.attachments
    }
}

/// 1 to 8,000 characters after trimming trailing white space; no control characters but newline and tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageBody(String);

/// Why a text is no message body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MessageBodyError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// More than [`MessageBody::MAX_CHARS`] characters.
    #[error("must have at most {} characters", MessageBody::MAX_CHARS)]
    TooLong,
    /// A control character that is neither newline nor tab.
    #[error("must not hold control characters other than newline and tab")]
    ControlCharacter(char),
}

impl MessageBody {
    /// Characters (Unicode scalar values) at the most.
    pub const MAX_CHARS: usize = 8_000;

    /// Trims trailing white space and checks the rest.
    pub fn new(mut text: String) -> Result<Self, MessageBodyError> {
        text.truncate(text.trim_end().len());
        if text.is_empty() {
            return Err(MessageBodyError::Empty);
        }
        // A text has at most as many characters as bytes: short ones need no counting.
        if text.len() > Self::MAX_CHARS && text.chars().count() > Self::MAX_CHARS {
            return Err(MessageBodyError::TooLong);
        }
        match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            Some(c) => Err(MessageBodyError::ControlCharacter(c)),
            None => Ok(Self(text)),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, taken out.
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn body_bounds() {
        let new = |text: &str| MessageBody::new(text.to_owned());
        assert_eq!(new(""), Err(MessageBodyError::Empty));
        assert_eq!(new(" \n\t\u{2003}"), Err(MessageBodyError::Empty));
        assert_eq!(new("  hi \n").unwrap().as_str(), "  hi");
        assert!(new(&"é".repeat(8_000)).is_ok());
        assert_eq!(new(&"é".repeat(8_001)), Err(MessageBodyError::TooLong));
        assert!(new(&format!("{}   ", "a".repeat(8_000))).is_ok());
        assert!(new("a\n\tb").is_ok());
        for c in ['\0', '\r', '\u{7}', '\u{1b}', '\u{7f}', '\u{85}'] {
            assert_eq!(new(&format!("a{c}b")), Err(MessageBodyError::ControlCharacter(c)));
        }
    }

    #[test]
    fn a_draft_says_something() {
        let body = || Some(MessageBody::new("hi".into()).unwrap());
        let file = |n| FileId::from_uuid(uuid::Uuid::from_u128(n));
        assert_eq!(MessageDraft::new(None, vec![]), Err(MessageDraftError::Empty));
        assert_eq!(MessageDraft::new(body(), vec![]).unwrap().attachments(), []);
        let twice = MessageDraft::new(None, vec![file(1), file(2), file(1)]).unwrap();
        assert_eq!(twice.attachments(), [file(1), file(2)]);
        assert!(MessageDraft::new(None, (0..10).map(file).collect()).is_ok());
        let eleven = MessageDraft::new(body(), (0..11).map(file).collect());
        assert_eq!(eleven, Err(MessageDraftError::TooManyAttachments));
    }

    #[test]
    fn seq_counts_forwards() {
        let seq = |n| Seq::new(n).unwrap();
        assert_eq!(Seq::new(-1), None);
        assert_eq!(seq(7).distance_from(seq(3)), 4);
        assert_eq!(seq(3).distance_from(seq(7)), 0);
    }

    proptest! {
        #[test]
        fn a_body_survives_storage(text in any::<String>()) {
            if let Ok(body) = MessageBody::new(text) {
                prop_assert_eq!(MessageBody::new(body.as_str().to_owned()), Ok(body));
            }
        }
    }
}
