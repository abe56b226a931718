//! Chats as the contracts of existing clients list them: whole, and as if deleted messages had never been.

use crate::chat::{Chat, ChatTitle};
use crate::ids::UserId;
use crate::membership::{Member, Membership};
use crate::message::{Message, MessageBody};
use crate::time::Timestamp;
use thiserror::Error;

/// A chat with all that a contract shows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatOverview {
    /// The chat.
    pub chat: Chat,
    /// In a direct chat, whether one of the two blocks the other: then nobody can send.
    pub blocked: bool,
    /// The newest message that is not deleted.
    pub last_message: Option<Message>,
    /// What a client set in the place of the last message, until a message is sent after it.
    pub note: Option<Note>,
    /// The viewer's own place in it; `None` for a service admin who looks in from outside.
    pub membership: Option<Membership>,
    /// Both members of a direct chat; of a group, where they are asked for, the [`ChatOverview::MAX_MEMBERS`]
    /// longest-standing, else none.
    pub members: Vec<OverviewMember>,
}

/// A member with what they have not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverviewMember {
    /// The member.
    pub member: Member,
    /// How many messages they have not read, deleted ones not counted.
    pub unread: i64,
}

impl ChatOverview {
    /// Members that an overview shows at the most.
    pub const MAX_MEMBERS: i64 = 1_000;

    /// How many messages the viewer has not read, deleted ones not counted; none for somebody who is not among the members
    /// that are shown.
    pub fn unread(&self, viewer: UserId) -> i64 {
        let own = self.members.iter().find(|member| member.member.user.id == viewer);
        own.map_or(0, |member| member.unread)
    }

    /// The other party of a direct chat.
    pub fn other(&self, viewer: UserId) -> Option<&Member> {
        let mut members = self.members.iter().map(|member| &member.member);
        members.find(|member| member.user.id != viewer && !self.chat.kind.is_group())
    }
}

/// What a client says a chat's last message is. It is no message: nobody sent it, and only the contract that knows such
/// notes shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What it says.
    pub text: NoteText,
    /// Who is said to have said it: a member.
    pub sender: UserId,
    /// When it is said to have been said.
    pub at: Timestamp,
}

/// At most [`MessageBody::MAX_CHARS`] characters, kept exactly as given; no control characters but line ends and tabs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteText(String);

/// Why a text can't be a note's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoteTextError {
    /// More characters than a message may have.
    #[error("must have at most {} characters", MessageBody::MAX_CHARS)]
    TooLong,
    /// A control character that is neither a line end nor a tab.
    #[error("must not hold control characters other than line ends and tabs")]
    ControlCharacter(char),
}

impl NoteText {
    /// Checks a text.
    pub fn new(text: &str) -> Result<Self, NoteTextError> {
        // No character has more than four bytes: longer texts need no counting.
        if text.len() > MessageBody::MAX_CHARS * 4 || text.chars().count() > MessageBody::MAX_CHARS {
            return Err(NoteTextError::TooLong);
        }
        let forbidden = |c: &char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        match text.chars().find(forbidden) {
            Some(c) => Err(NoteTextError::ControlCharacter(c)),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a group is called that nobody gave a name: its members' names, parted by commas, as many as fit.
pub fn title_of<'a>(names: impl IntoIterator<Item = &'a str>) -> ChatTitle {
    let mut title = String::new();
    for name in names {
        let separator = if title.is_empty() { "" } else { ", " };
        let longer = format!("{title}{separator}{name}");
        if longer.chars().count() > ChatTitle::MAX_CHARS {
            break;
        }
        title = longer;
    }
    ChatTitle::new(&title).unwrap_or_else(|_| ChatTitle::unnamed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn note_texts_are_kept_as_given() {
        for text in ["", " a \r\n\tb ", &"é".repeat(8_000)] {
            assert_eq!(NoteText::new(text).unwrap().as_str(), text);
        }
        assert_eq!(NoteText::new(&"x".repeat(8_001)), Err(NoteTextError::TooLong));
        assert_eq!(NoteText::new(&"x".repeat(100_000)), Err(NoteTextError::TooLong));
        assert_eq!(NoteText::new("a\0"), Err(NoteTextError::ControlCharacter('\0')));
    }

    #[test]
    fn titles_of_names() {
        assert_eq!(title_of(["Ana", "Ben"]).as_str(), "Ana, Ben");
        let long = "x".repeat(150);
        assert_eq!(title_of([long.as_str(), &long]).as_str(), long);
        assert_eq!(title_of([]), ChatTitle::unnamed());
        assert_eq!(title_of(["x".repeat(201).as_str()]), ChatTitle::unnamed());
    }
}
