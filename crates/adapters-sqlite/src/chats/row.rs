use crate::files;
use crate::id::DbId;
use crate::schema::{chats, memberships};
use crate::users::{UserColumns, UserRow};
use diesel::dsl::SqlTypeOf;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use std::fmt::Display;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{Chat, ChatKind, ChatTitle, EventSeq, Member, MemberRole, Membership, Seq, Timestamp};
use tertulia_sql_support::inconsistent;

#[derive(Queryable, Selectable)]
#[diesel(table_name = chats, check_for_backend(Sqlite))]
pub(super) struct ChatRow {
    number: i64,
    id: DbId,
    kind: String,
    title: Option<String>,
    created_at: i64,
    updated_at: i64,
    active_at: i64,
    member_count: i64,
    last_seq: i64,
    change_count: i64,
    avatar_view: Option<String>,
    pub(super) direct_low: Option<DbId>,
    pub(super) direct_high: Option<DbId>,
}

impl ChatRow {
    pub(super) const COLUMNS: &'static str = "chats.number, chats.id, chats.kind, chats.title, chats.created_at, \
         chats.updated_at, chats.active_at, chats.member_count, chats.last_seq, chats.change_count, chats.avatar_view, \
         chats.direct_low, chats.direct_high";
}

pub(super) type ChatColumns = SqlTypeOf<<ChatRow as Selectable<Sqlite>>::SelectExpression>;

impl TryFrom<ChatRow> for Chat {
    type Error = RepositoryError;

    fn try_from(row: ChatRow) -> Result<Self, RepositoryError> {
        let refuse = |why: &dyn Display| inconsistent("chats", row.id, why);
        let kind = match (row.kind.as_str(), &row.title) {
            ("direct", None) => ChatKind::Direct,
            ("group", Some(title)) => ChatKind::Group {
                title: ChatTitle::new(title).map_err(|why| refuse(&why))?,
            },
            (kind, _) => return Err(refuse(&format_args!("{kind:?} with this title is no kind of chat"))),
        };
        Ok(Self {
            id: row.id.into(),
            number: row.number,
            kind,
            avatar: row
                .avatar_view
                .as_deref()
                .map(files::from_view)
                .transpose()
                .map_err(|why| refuse(&why))?,
            created_at: Timestamp::from_millis(row.created_at),
            updated_at: Timestamp::from_millis(row.updated_at),
            active_at: Timestamp::from_millis(row.active_at),
            member_count: row.member_count,
            last_seq: Seq::new(row.last_seq).ok_or_else(|| refuse(&"a negative number of messages"))?,
            last_event: EventSeq::new(row.last_seq + row.change_count)
                .ok_or_else(|| refuse(&"a negative number of events"))?,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = memberships, check_for_backend(Sqlite))]
pub(super) struct MembershipRow {
    pub(super) chat_id: DbId,
    pub(super) user_id: DbId,
    role: String,
    joined_at: i64,
    read_seq: i64,
}

impl MembershipRow {
    pub(super) const COLUMNS: &'static str = "memberships.chat_id, memberships.user_id, memberships.role, \
         memberships.joined_at, memberships.read_seq";
}

pub(super) type MembershipColumns = SqlTypeOf<<MembershipRow as Selectable<Sqlite>>::SelectExpression>;

impl TryFrom<MembershipRow> for Membership {
    type Error = RepositoryError;

    fn try_from(row: MembershipRow) -> Result<Self, RepositoryError> {
        Ok(Self {
            role: member_role(row.chat_id, row.user_id, &row.role)?,
            joined_at: Timestamp::from_millis(row.joined_at),
            read_seq: Seq::new(row.read_seq)
                .ok_or_else(|| refuse_membership(row.chat_id, row.user_id, "a negative read position"))?,
        })
    }
}

/// The stored role of that user in that chat.
pub(crate) fn member_role(chat: DbId, user: DbId, text: &str) -> Result<MemberRole, RepositoryError> {
    MemberRole::parse(text).ok_or_else(|| refuse_membership(chat, user, format_args!("{text:?} is no role")))
}

fn refuse_membership(chat: DbId, user: DbId, why: impl Display) -> RepositoryError {
    inconsistent("memberships", format_args!("chat {chat}, user {user}"), why)
}

/// A member with their user.
pub(super) type MemberRow = (MembershipRow, UserRow);

/// In statements: the columns of a membership, then those of a user.
pub(super) type MemberColumns = (MembershipColumns, UserColumns);

pub(super) fn member((membership, user): MemberRow) -> Result<Member, RepositoryError> {
    Ok(Member {
        user: user.try_into()?,
        membership: membership.try_into()?,
    })
}
