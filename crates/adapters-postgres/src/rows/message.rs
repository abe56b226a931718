use super::Reader;
use crate::time::PgTime;
use diesel::Queryable;
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use serde_json::Value;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{
    Author, ChatId, DisplayName, Message, MessageBody, MessageContent, MessageId, ReplyPreview, UserId, Username,
};
use uuid::Uuid;

/// The face of a sender.
#[derive(Queryable)]
pub(crate) struct AuthorRow {
    id: Uuid,
    username: Option<String>,
    display_name: Option<String>,
    avatar_view: Option<Value>,
}

pub(crate) type AuthorColumns = (SqlUuid, Nullable<Text>, Nullable<Text>, Nullable<Jsonb>);

impl TryFrom<AuthorRow> for Author {
    type Error = RepositoryError;

    fn try_from(row: AuthorRow) -> Result<Self, RepositoryError> {
        let reader = Reader {
            table: "users",
            key: row.id,
        };
        Ok(Self {
            id: UserId::from_uuid(row.id),
            username: reader.text(row.username.as_deref(), Username::new)?,
            display_name: reader.text(row.display_name.as_deref(), DisplayName::new)?,
            avatar: reader.file(row.avatar_view)?,
        })
    }
}

/// A message that is answered.
#[derive(Queryable)]
pub(crate) struct ReplyRow {
    id: Uuid,
    seq: i64,
    sender: AuthorRow,
    body: Option<String>,
}

pub(crate) type ReplyColumns = (SqlUuid, BigInt, AuthorColumns, Nullable<Text>);

/// Of `messages r` and its sender, `users ru`.
macro_rules! reply_columns {
    () => {
        "r.id, r.seq, ru.id, ru.username, ru.display_name, ru.avatar_view, r.body"
    };
}
pub(crate) use reply_columns;

impl TryFrom<ReplyRow> for ReplyPreview {
    type Error = RepositoryError;

    fn try_from(row: ReplyRow) -> Result<Self, RepositoryError> {
        let reader = Reader {
            table: "messages",
            key: row.id,
        };
        Ok(Self {
            id: MessageId::from_uuid(row.id),
            seq: reader.seq(row.seq)?,
            sender: row.sender.try_into()?,
            body: body(&reader, row.body)?,
        })
    }
}

/// A message with what is shown along with it.
#[derive(Queryable)]
pub(crate) struct MessageRow {
    id: Uuid,
    chat_id: Uuid,
    seq: i64,
    sender: AuthorRow,
    body: Option<String>,
    attachments_view: Option<Value>,
    addressee: Option<Uuid>,
    created_at: PgTime,
    edited_at: Option<PgTime>,
    deleted_at: Option<PgTime>,
    reply_to: Option<ReplyRow>,
}

pub(crate) type MessageColumns = (
    SqlUuid,
    SqlUuid,
    BigInt,
    AuthorColumns,
    Nullable<Text>,
    Nullable<Jsonb>,
    Nullable<SqlUuid>,
    Timestamptz,
    Nullable<Timestamptz>,
    Nullable<Timestamptz>,
    Nullable<ReplyColumns>,
);

/// Of `messages m` and what [`message_joins`] adds.
macro_rules! message_columns {
    () => {
        concat!(
            "m.id, m.chat_id, m.seq, mu.id, mu.username, mu.display_name, mu.avatar_view, m.body, m.attachments_view,
             m.addressee, m.created_at, m.edited_at, m.deleted_at, ",
            $crate::rows::reply_columns!()
        )
    };
}
pub(crate) use message_columns;

/// The sender, the answered message, and the latter's sender.
macro_rules! message_joins {
    () => {
        "LEFT JOIN users mu ON mu.id = m.sender_id
         LEFT JOIN messages r ON r.chat_id = m.chat_id AND r.seq = m.reply_to_seq
         LEFT JOIN users ru ON ru.id = r.sender_id"
    };
}
pub(crate) use message_joins;

impl TryFrom<MessageRow> for Message {
    type Error = RepositoryError;

    fn try_from(row: MessageRow) -> Result<Self, RepositoryError> {
        let reader = Reader {
            table: "messages",
            key: row.id,
        };
        let content = match row.deleted_at {
            Some(at) => MessageContent::Deleted { at: at.into() },
            None => MessageContent::Present {
                body: body(&reader, row.body)?,
                attachments: reader.files(row.attachments_view)?,
            },
        };
        Ok(Self {
            id: MessageId::from_uuid(row.id),
            chat_id: ChatId::from_uuid(row.chat_id),
            seq: reader.seq(row.seq)?,
            sender: row.sender.try_into()?,
            content,
            reply_to: row.reply_to.map(TryInto::try_into).transpose()?,
            addressee: row.addressee.map(UserId::from_uuid),
            created_at: row.created_at.into(),
            edited_at: row.edited_at.map(Into::into),
        })
    }
}

fn body(reader: &Reader<Uuid>, text: Option<String>) -> Result<Option<MessageBody>, RepositoryError> {
    text.map(MessageBody::new)
        .transpose()
        .map_err(|error| reader.refuse(error))
}
