use super::Reader;
use crate::time::PgTime;
use diesel::Queryable;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{Chat, ChatId, ChatKind, ChatTitle};
use uuid::Uuid;

/// A chat.
#[derive(Queryable)]
pub(crate) struct ChatRow {
    id: Uuid,
    number: i64,
    kind: String,
    title: Option<String>,
    avatar_view: Option<Value>,
    created_at: PgTime,
    updated_at: PgTime,
    active_at: PgTime,
    member_count: i64,
    last_seq: i64,
    change_count: i64,
}

pub(crate) type ChatColumns = (
    SqlUuid,
    BigInt,
    Text,
    Nullable<Text>,
    Nullable<Jsonb>,
    Timestamptz,
    Timestamptz,
    Timestamptz,
    BigInt,
    BigInt,
    BigInt,
);

/// Of `chats c`.
macro_rules! chat_columns {
    () => {
        "c.id, c.number, c.kind, c.title, c.avatar_view, c.created_at, c.updated_at, c.active_at, c.member_count, c.last_seq,
         c.change_count"
    };
}
pub(crate) use chat_columns;

/// Whether one of two users blocks the other. Each half is at most one entry of the primary key.
macro_rules! blocked_between {
    ($one:literal, $other:literal) => {
        concat!(
            "COALESCE(
                (SELECT true FROM blocks x WHERE x.blocker_id = ",
            $one,
            " AND x.blocked_id = ",
            $other,
            "),
                (SELECT true FROM blocks x WHERE x.blocker_id = ",
            $other,
            " AND x.blocked_id = ",
            $one,
            "),
                false
            )"
        )
    };
}
pub(crate) use blocked_between;

/// Whether one of the two parties of `chats c` blocks the other. Groups have none, and nothing is looked up for them.
macro_rules! chat_blocked {
    () => {
        concat!(
            "CASE WHEN c.direct_low IS NULL THEN false ELSE ",
            $crate::rows::blocked_between!("c.direct_low", "c.direct_high"),
            " END"
        )
    };
}
pub(crate) use chat_blocked;

impl TryFrom<ChatRow> for Chat {
    type Error = RepositoryError;

    fn try_from(row: ChatRow) -> Result<Self, RepositoryError> {
        let reader = Reader {
            table: "chats",
            key: row.id,
        };
        let title = reader.text(row.title.as_deref(), ChatTitle::new)?;
        let kind = match (row.kind.as_str(), title) {
            ("direct", None) => ChatKind::Direct,
            ("group", Some(title)) => ChatKind::Group { title },
            (kind, title) => return Err(reader.refuse(format_args!("a chat of kind {kind:?} with title {title:?}"))),
        };
        Ok(Self {
            id: ChatId::from_uuid(row.id),
            number: row.number,
            kind,
            avatar: reader.file(row.avatar_view)?,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
            active_at: row.active_at.into(),
            member_count: row.member_count,
            last_seq: reader.seq(row.last_seq)?,
            last_event: reader.event(row.last_seq.saturating_add(row.change_count))?,
        })
    }
}
