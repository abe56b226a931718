//! Chats.

use crate::event::EventSeq;
use crate::file::File;
use crate::ids::ChatId;
use crate::membership::{Member, Membership};
use crate::message::{Message, Seq};
use crate::text;
use crate::time::Timestamp;
use thiserror::Error;

/// A chat, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// The identifier.
    pub id: ChatId,
    /// A second, integer identifier for clients that need one: positive, never reused.
    pub number: i64,
    /// Direct or group, with what only one of them has.
    pub kind: ChatKind,
    /// A raster image; groups only.
    pub avatar: Option<File>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When anything about it last changed, a message in it included.
    pub updated_at: Timestamp,
    /// When it was made or the last message was sent, whichever is later. Never decreases.
    pub active_at: Timestamp,
    /// How many members it has.
    pub member_count: i64,
    /// The place of the newest message; zero when there is none.
    pub last_seq: Seq,
    /// The place of the newest event; zero when there is none.
    pub last_event: EventSeq,
}

impl Chat {
    /// Members of a group at the most.
    pub const MAX_MEMBERS: i64 = 100_000;
    /// Members that a group may be made with, besides its owner.
    pub const MAX_FIRST_MEMBERS: usize = 1_000;
}

/// The two kinds of chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatKind {
    /// Between two users; there is never a second one between the same two.
    Direct,
    /// Between any number of users.
    Group {
        /// What the group is called.
        title: ChatTitle,
    },
}

impl ChatKind {
    /// The stable word for this kind: `direct` or `group`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Group { .. } => "group",
        }
    }

    /// True for a group.
    pub const fn is_group(&self) -> bool {
        matches!(self, Self::Group { .. })
    }

    /// The title of a group.
    pub const fn title(&self) -> Option<&ChatTitle> {
        match self {
            Self::Direct => None,
            Self::Group { title } => Some(title),
        }
    }
}

/// A chat with what one viewer sees of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatView {
    /// The chat.
    pub chat: Chat,
    /// The message at `chat.last_seq`, deleted or not.
    pub last_message: Option<Message>,
    /// The viewer's own place in it; `None` for a service admin who looks in from outside.
    pub membership: Option<Membership>,
    /// The two members of a direct chat; of a group the [`ChatView::PREVIEW_MEMBERS`] longest-standing where a single
    /// chat is asked for, none in lists.
    pub members: Vec<Member>,
    /// In a direct chat, whether one of the two blocks the other: then nobody can send.
    pub blocked: bool,
}

impl ChatView {
    /// How many members of a group a single chat shows.
    pub const PREVIEW_MEMBERS: i64 = 10;

    /// Up to where the viewer has read; all of it for somebody who is not a member.
    pub fn read_seq(&self) -> Seq {
        self.membership
            .map_or(self.chat.last_seq, |membership| membership.read_seq)
    }

    /// How many messages the viewer has not read: a difference of two numbers, so a deleted message stays counted.
    pub fn unread_count(&self) -> i64 {
        self.chat.last_seq.distance_from(self.read_seq())
    }
}

/// 1 to 200 characters on one line, free of control characters and of invisible characters that reorder or hide text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatTitle(String);

/// Why a text is no title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ChatTitleError {
    /// Nothing to see, or more than [`ChatTitle::MAX_CHARS`] characters.
    #[error("must have 1 to {} characters", ChatTitle::MAX_CHARS)]
    Length,
    /// A control character, or an invisible one that reorders or hides text.
    #[error("must not hold control characters or invisible formatting")]
    Character(char),
}

impl ChatTitle {
    /// Characters (Unicode scalar values) at the most.
    pub const MAX_CHARS: usize = 200;

    /// Trims white space from both ends and checks the rest.
    pub fn new(text: &str) -> Result<Self, ChatTitleError> {
        let title = text::one_line(text).map_err(ChatTitleError::Character)?;
        if text::is_blank(title) || title.chars().count() > Self::MAX_CHARS {
            return Err(ChatTitleError::Length);
        }
        Ok(Self(title.to_owned()))
    }

    /// What a group is called of which there is nothing to tell.
    pub fn unnamed() -> Self {
        Self("Group".to_owned())
    }

    /// The title.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_bounds() {
        assert_eq!(ChatTitle::new(" Team ").unwrap().as_str(), "Team");
        assert!(ChatTitle::new(&"x".repeat(200)).is_ok());
        for (bad, why) in [
            ("", ChatTitleError::Length),
            ("   ", ChatTitleError::Length),
            ("a\0", ChatTitleError::Character('\0')),
            ("a\u{2066}b", ChatTitleError::Character('\u{2066}')),
        ] {
            assert_eq!(ChatTitle::new(bad), Err(why));
        }
        assert_eq!(ChatTitle::new(&"x".repeat(201)), Err(ChatTitleError::Length));
    }
}
