//! What happens in chats: numbered, so that whoever was away can be told exactly what they missed.

use crate::chat::Chat;
use crate::ids::{ChatId, UserId};
use crate::membership::MemberRole;
use crate::message::{Message, Seq};
use crate::time::Timestamp;
use crate::user::User;
use std::time::Duration;

/// A place among a chat's events: they are numbered 1, 2, 3, ... without gaps or repeats, whatever they tell of. Zero stands
/// for "before the first".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventSeq(i64);

impl EventSeq {
    /// Before the first event.
    pub const ZERO: Self = Self(0);

    /// `None` for a negative number.
    pub const fn new(value: i64) -> Option<Self> {
        if value < 0 { None } else { Some(Self(value)) }
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// How many places lie after `earlier` up to this one; zero when there are none.
    pub const fn distance_from(self, earlier: Self) -> i64 {
        if self.0 > earlier.0 { self.0 - earlier.0 } else { 0 }
    }
}

/// One thing that happened in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatEvent {
    /// Where.
    pub chat_id: ChatId,
    /// Its place among the chat's events.
    pub seq: EventSeq,
    /// When; never decreases along a chat's numbers, as far as clocks allow.
    pub at: Timestamp,
    /// What.
    pub change: Change,
}

/// What happened. Users, chats and messages are shown as they are when the event is read, not as they were: what was
/// deleted since is not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A message was sent; that its sender has read it goes without saying.
    MessageCreated(Box<Message>),
    /// A message's body changed.
    MessageUpdated(Box<Message>),
    /// A message was deleted.
    MessageDeleted(Box<Message>),
    /// The chat was made, with its first members.
    ChatCreated(Box<Chat>),
    /// Its title, its avatar or its kind changed.
    ChatUpdated(Box<Chat>),
    /// It is gone. No chat has a later event.
    ChatDeleted,
    /// Somebody came in.
    MemberAdded {
        /// Who.
        user: Box<User>,
        /// As what.
        role: MemberRole,
        /// Everything up to there counts as read.
        read_seq: Seq,
    },
    /// Somebody has another role.
    MemberUpdated {
        /// Who.
        user: Box<User>,
        /// Which.
        role: MemberRole,
    },
    /// Somebody left or was taken out.
    MemberRemoved {
        /// Who.
        user_id: UserId,
    },
    /// Somebody read on, otherwise than by sending.
    ReadUpdated {
        /// Who.
        user_id: UserId,
        /// Up to there.
        read_seq: Seq,
    },
}

impl Change {
    /// The stable name of what happened.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::MessageCreated(_) => "message.created",
            Self::MessageUpdated(_) => "message.updated",
            Self::MessageDeleted(_) => "message.deleted",
            Self::ChatCreated(_) => "chat.created",
            Self::ChatUpdated(_) => "chat.updated",
            Self::ChatDeleted => "chat.deleted",
            Self::MemberAdded { .. } => "member.added",
            Self::MemberUpdated { .. } => "member.updated",
            Self::MemberRemoved { .. } => "member.removed",
            Self::ReadUpdated { .. } => "read.updated",
        }
    }

    /// Whether that user is not in the chat any more after it.
    pub fn removes(&self, user: UserId) -> bool {
        match self {
            Self::MemberRemoved { user_id } => *user_id == user,
            Self::ChatDeleted => true,
            _ => false,
        }
    }
}

/// How many events somebody may have missed of a chat and still be told each; of more, they are told to load it again.
pub const MAX_MISSED: i64 = 10_000;

/// How old the oldest missed event may be. Older ones need not be kept.
pub const MAX_AGE: Duration = Duration::from_hours(30 * 24);

/// What somebody listens to: one chat that they are a member of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// The chat.
    pub chat_id: ChatId,
    /// The chat's integer identifier.
    pub number: i64,
    /// How many members it has.
    pub member_count: i64,
    /// When the newest event happened.
    pub active_at: Timestamp,
    /// The event by which they came in: none before it is for them.
    pub first_event: EventSeq,
    /// The newest event.
    pub last_event: EventSeq,
}

impl Subscription {
    /// The place before everything that is for them.
    pub const fn before_first(&self) -> EventSeq {
        match EventSeq::new(self.first_event.get() - 1) {
            Some(seq) => seq,
            None => EventSeq::ZERO,
        }
    }
}

/// The last event of a chat for somebody who is not in it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// The chat.
    pub chat_id: ChatId,
    /// The chat's integer identifier.
    pub number: i64,
    /// The event's place.
    pub seq: EventSeq,
    /// When.
    pub at: Timestamp,
    /// Whether the chat was deleted; otherwise they left it or were taken out.
    pub deleted: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!(EventSeq::new(-1), None);
        let seven = EventSeq::new(7).unwrap();
        assert_eq!((seven.get(), seven.next().get()), (7, 8));
        assert_eq!(seven.distance_from(EventSeq::ZERO), 7);
        assert_eq!(EventSeq::ZERO.distance_from(seven), 0);
    }
}
