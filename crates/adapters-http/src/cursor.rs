//! Cursors as clients see them: opaque, and safe in a URL unquoted.
//!
//! The base64url form (RFC 4648, without padding) of a byte that names the list and the direction, and the values of the
//! last item that was handed out, all of fixed size.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tertulia_domain::repository::{AuditCursor, ReportCursor};
use tertulia_domain::{ChatCursor, ChatId, MemberCursor, MessageRange, ReportId, Seq, Timestamp, UserCursor, UserId};
use uuid::Uuid;

/// A place in a list.
pub(crate) trait Cursor: Sized {
    fn to_bytes(&self) -> Vec<u8>;

    /// `None` for bytes that [`Cursor::to_bytes`] does not give.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// The form that clients see.
pub(crate) fn encode(cursor: &impl Cursor) -> String {
    URL_SAFE_NO_PAD.encode(cursor.to_bytes())
}

/// Reads what [`encode`] gave; `None` for anything else, a cursor of another list too.
pub(crate) fn decode<C: Cursor>(text: &str) -> Option<C> {
    C::from_bytes(&URL_SAFE_NO_PAD.decode(text).ok()?)
}

/// What the first byte says.
mod kind {
    pub(super) const USERS: u8 = 1;
    pub(super) const CHATS: u8 = 2;
    pub(super) const MEMBERS: u8 = 3;
    pub(super) const NEWEST_MESSAGES: u8 = 4;
    pub(super) const MESSAGES_BEFORE: u8 = 5;
    pub(super) const MESSAGES_AFTER: u8 = 6;
    pub(super) const REPORTS: u8 = 7;
    pub(super) const AUDIT: u8 = 8;
}

impl Cursor for UserCursor {
    fn to_bytes(&self) -> Vec<u8> {
        numbered(kind::USERS, self.0)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[kind::USERS])?;
        Some(Self(number(rest)?))
    }
}

impl Cursor for ChatCursor {
    fn to_bytes(&self) -> Vec<u8> {
        timed(kind::CHATS, self.active_at, *self.id.as_uuid())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (active_at, id) = time_and_id(bytes.strip_prefix(&[kind::CHATS])?)?;
        let id = ChatId::from_uuid(id);
        Some(Self { active_at, id })
    }
}

impl Cursor for MemberCursor {
    fn to_bytes(&self) -> Vec<u8> {
        timed(kind::MEMBERS, self.joined_at, *self.user_id.as_uuid())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (joined_at, id) = time_and_id(bytes.strip_prefix(&[kind::MEMBERS])?)?;
        let user_id = UserId::from_uuid(id);
        Some(Self { joined_at, user_id })
    }
}

impl Cursor for MessageRange {
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Newest => vec![kind::NEWEST_MESSAGES],
            Self::Before(seq) => numbered(kind::MESSAGES_BEFORE, seq.get()),
            Self::After(seq) => numbered(kind::MESSAGES_AFTER, seq.get()),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        match *kind {
            kind::NEWEST_MESSAGES => rest.is_empty().then_some(Self::Newest),
            kind::MESSAGES_BEFORE => Some(Self::Before(Seq::new(number(rest)?)?)),
            kind::MESSAGES_AFTER => Some(Self::After(Seq::new(number(rest)?)?)),
            _ => None,
        }
    }
}

impl Cursor for ReportCursor {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + 16);
        bytes.push(kind::REPORTS);
        bytes.extend(self.0.as_uuid().as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let id = bytes.strip_prefix(&[kind::REPORTS])?.try_into().ok()?;
        Some(Self(ReportId::from_uuid(Uuid::from_bytes(id))))
    }
}

impl Cursor for AuditCursor {
    fn to_bytes(&self) -> Vec<u8> {
        numbered(kind::AUDIT, self.0)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(number(bytes.strip_prefix(&[kind::AUDIT])?)?))
    }
}

fn numbered(kind: u8, number: i64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + 8);
    bytes.push(kind);
    bytes.extend(number.to_be_bytes());
    bytes
}

fn number(bytes: &[u8]) -> Option<i64> {
    bytes.try_into().ok().map(i64::from_be_bytes)
}

fn timed(kind: u8, at: Timestamp, id: Uuid) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + 8 + 16);
    bytes.push(kind);
    bytes.extend(at.as_millis().to_be_bytes());
    bytes.extend(id.as_bytes());
    bytes
}

fn time_and_id(bytes: &[u8]) -> Option<(Timestamp, Uuid)> {
    let (millis, id) = bytes.split_first_chunk::<8>()?;
    let millis = i64::from_be_bytes(*millis);
    let at = Timestamp::from_millis(millis);
    // A time out of range was moved to the nearest end: no cursor of ours has one.
    (at.as_millis() == millis).then_some((at, Uuid::from_bytes(id.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Debug;

    fn at() -> impl Strategy<Value = Timestamp> {
        any::<i64>().prop_map(Timestamp::from_millis)
    }

    fn uuid() -> impl Strategy<Value = Uuid> {
        any::<u128>().prop_map(Uuid::from_u128)
    }

    fn users() -> impl Strategy<Value = UserCursor> {
        any::<i64>().prop_map(UserCursor)
    }

    fn chats() -> impl Strategy<Value = ChatCursor> {
        let id = uuid().prop_map(ChatId::from_uuid);
        (at(), id).prop_map(|(active_at, id)| ChatCursor { active_at, id })
    }

    fn members() -> impl Strategy<Value = MemberCursor> {
        let id = uuid().prop_map(UserId::from_uuid);
        (at(), id).prop_map(|(joined_at, user_id)| MemberCursor { joined_at, user_id })
    }

    fn messages() -> impl Strategy<Value = MessageRange> {
        let seq = || (0..i64::MAX).prop_filter_map("negative", Seq::new);
        prop_oneof![
            Just(MessageRange::Newest),
            seq().prop_map(MessageRange::Before),
            seq().prop_map(MessageRange::After),
        ]
    }

    fn comes_back<C: Cursor + PartialEq + Debug>(cursor: C) -> Result<(), TestCaseError> {
        let text = encode(&cursor);
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        prop_assert!(text.bytes().all(safe), "{} has to be quoted in a URL", text);
        prop_assert_eq!(decode::<C>(&text), Some(cursor));
        Ok(())
    }

    /// Whatever is read is written the same: there is one text for a place, and none for what is no place.
    fn is_ours_or_nothing<C: Cursor>(text: &str) -> Result<(), TestCaseError> {
        if let Some(cursor) = decode::<C>(text) {
            prop_assert_eq!(encode(&cursor), text);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn every_cursor_comes_back(users in users(), chats in chats(), members in members(), messages in messages()) {
            comes_back(users)?;
            comes_back(chats)?;
            comes_back(members)?;
            comes_back(messages)?;
        }

        #[test]
        fn those_of_admins_come_back_and_are_of_one_list(id in uuid(), number in any::<i64>()) {
            let (report, entry) = (ReportCursor(ReportId::from_uuid(id)), AuditCursor(number));
            comes_back(report)?;
            comes_back(entry)?;
            prop_assert_eq!(decode::<AuditCursor>(&encode(&report)), None);
            prop_assert_eq!(decode::<ReportCursor>(&encode(&entry)), None);
            prop_assert_eq!(decode::<UserCursor>(&encode(&entry)), None);
            prop_assert_eq!(decode::<AuditCursor>(&encode(&UserCursor(number))), None);
        }

        #[test]
        fn a_tampered_one_is_another_one_or_none(bytes in prop::collection::vec(any::<u8>(), 0..40), kind in 0_u8..10) {
            let bytes: Vec<u8> = std::iter::once(kind).chain(bytes).collect();
            let text = URL_SAFE_NO_PAD.encode(bytes);
            is_ours_or_nothing::<UserCursor>(&text)?;
            is_ours_or_nothing::<ChatCursor>(&text)?;
            is_ours_or_nothing::<MemberCursor>(&text)?;
            is_ours_or_nothing::<MessageRange>(&text)?;
            is_ours_or_nothing::<ReportCursor>(&text)?;
            is_ours_or_nothing::<AuditCursor>(&text)?;
        }

        #[test]
        fn no_list_takes_the_cursor_of_another(users in users(), chats in chats(), members in members(), messages in messages()) {
            let (users, chats, members, messages) = (encode(&users), encode(&chats), encode(&members), encode(&messages));
            for text in [&chats, &members, &messages] {
                prop_assert_eq!(decode::<UserCursor>(text), None);
            }
            for text in [&users, &members, &messages] {
                prop_assert_eq!(decode::<ChatCursor>(text), None);
            }
            for text in [&users, &chats, &messages] {
                prop_assert_eq!(decode::<MemberCursor>(text), None);
            }
            for text in [&users, &chats, &members] {
                prop_assert_eq!(decode::<MessageRange>(text), None);
            }
        }

        #[test]
        fn any_text_is_harmless(text in any::<String>()) {
            is_ours_or_nothing::<ChatCursor>(&text)?;
            is_ours_or_nothing::<MessageRange>(&text)?;
        }
    }
}
