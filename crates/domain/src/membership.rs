//! Who is in a chat, and as what.

use crate::ids::UserId;
use crate::message::Seq;
use crate::time::Timestamp;
use crate::user::User;

/// What a member may do in a chat. The order is that of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MemberRole {
    /// Reads and writes. Both parties of a direct chat have this role.
    Member,
    /// Also manages members and removes messages.
    Admin,
    /// Also gives roles and deletes the chat. A group has exactly one.
    Owner,
}

impl MemberRole {
    /// The stable word for this role: `member`, `admin` or `owner`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role of that name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "member" => Some(Self::Member),
            "admin" => Some(Self::Admin),
            "owner" => Some(Self::Owner),
            _ => None,
        }
    }
}

/// One user's place in one chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The role.
    pub role: MemberRole,
    /// Since when.
    pub joined_at: Timestamp,
    /// Everything up to there counts as read.
    pub read_seq: Seq,
}

/// A member as others see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: User,
    /// As what.
    pub membership: Membership,
}

/// Who owns a group after its owner has left: the longest-standing admin, or else the longest-standing member; of two
/// who joined at the same time the one with the smaller id. `None` when nobody is left.
///
/// It is enough to offer the longest-standing of each role.
pub fn successor(candidates: impl IntoIterator<Item = (UserId, MemberRole, Timestamp)>) -> Option<UserId> {
    candidates
        .into_iter()
        .min_by_key(|(id, role, joined_at)| (std::cmp::Reverse(*role), *joined_at, *id))
        .map(|(id, ..)| id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn succession() {
        let user = |n| UserId::from_uuid(Uuid::from_u128(n));
        let at = Timestamp::from_millis;
        assert_eq!(successor([]), None);
        let members = [
            (user(3), MemberRole::Member, at(1)),
            (user(1), MemberRole::Member, at(2)),
        ];
        assert_eq!(successor(members), Some(user(3)));
        let with_admins = [
            members[0],
            (user(9), MemberRole::Admin, at(5)),
            (user(8), MemberRole::Admin, at(7)),
        ];
        assert_eq!(successor(with_admins), Some(user(9)));
        assert_eq!(
            successor([
                (user(2), MemberRole::Member, at(1)),
                (user(1), MemberRole::Member, at(1))
            ]),
            Some(user(1))
        );
    }

    #[test]
    fn roles_have_words() {
        for role in [MemberRole::Member, MemberRole::Admin, MemberRole::Owner] {
            assert_eq!(MemberRole::parse(role.as_str()), Some(role));
        }
        assert_eq!(MemberRole::parse("Owner"), None);
    }
}
