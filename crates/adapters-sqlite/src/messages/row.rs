use crate::files;
use crate::id::DbId;
use crate::schema::users;
use crate::users::{avatar, display_name, username};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use std::fmt::Display;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{Author, File, Message, MessageBody, MessageContent, ReplyPreview, Seq, Timestamp, UserId};
use tertulia_sql_support::inconsistent;

type AuthorColumns = (Binary, Nullable<Text>, Nullable<Text>, Nullable<Text>);
type ReplyColumns = (Binary, BigInt, Nullable<Text>, AuthorColumns);

/// The columns of [`SELECT`].
pub(super) type MessageColumns = (
    Binary,
    Binary,
    BigInt,
    Nullable<Text>,
    BigInt,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<Text>,
    Nullable<Binary>,
    AuthorColumns,
    Nullable<ReplyColumns>,
);

/// A message with its sender, and what it answers with the sender of that.
pub(super) const SELECT: &str = "
    SELECT m.id, m.chat_id, m.seq, m.body, m.created_at, m.edited_at, m.deleted_at, m.attachments_view,
        m.addressee_id,
        s.id, s.username, s.display_name, s.avatar_view,
        r.id, r.seq, r.body, rs.id, rs.username, rs.display_name, rs.avatar_view
    FROM messages AS m
    JOIN users AS s ON s.id = m.sender_id
    LEFT JOIN messages AS r ON r.chat_id = m.chat_id AND r.seq = m.reply_to_seq
    LEFT JOIN users AS rs ON rs.id = r.sender_id";

#[derive(Queryable)]
pub(super) struct MessageRow {
    id: DbId,
    chat_id: DbId,
    seq: i64,
    body: Option<String>,
    created_at: i64,
    edited_at: Option<i64>,
    deleted_at: Option<i64>,
    attachments_view: Option<String>,
    addressee: Option<DbId>,
    sender: AuthorRow,
    reply_to: Option<ReplyRow>,
}

/// What a message shows of a user.
#[derive(Queryable)]
pub(super) struct AuthorRow {
    id: DbId,
    username: Option<String>,
    display_name: Option<String>,
    avatar_view: Option<String>,
}

type ShownOfUser = (users::id, users::username, users::display_name, users::avatar_view);

/// The columns of an [`AuthorRow`].
pub(super) const fn author() -> ShownOfUser {
    (users::id, users::username, users::display_name, users::avatar_view)
}

/// What an answer shows of the message that it answers.
#[derive(Queryable)]
pub(super) struct ReplyRow {
    id: DbId,
    pub(super) seq: i64,
    body: Option<String>,
    sender: AuthorRow,
}

impl TryFrom<AuthorRow> for Author {
    type Error = RepositoryError;

    fn try_from(row: AuthorRow) -> Result<Self, RepositoryError> {
        Ok(Self {
            id: row.id.into(),
            username: username(row.id, row.username.as_deref())?,
            display_name: display_name(row.id, row.display_name.as_deref())?,
            avatar: avatar(row.id, row.avatar_view.as_deref())?,
        })
    }
}

impl TryFrom<ReplyRow> for ReplyPreview {
    type Error = RepositoryError;

    fn try_from(row: ReplyRow) -> Result<Self, RepositoryError> {
        Ok(Self {
            id: row.id.into(),
            seq: place(row.id, row.seq)?,
            sender: row.sender.try_into()?,
            body: body(row.id, row.body)?,
        })
    }
}

impl TryFrom<MessageRow> for Message {
    type Error = RepositoryError;

    fn try_from(row: MessageRow) -> Result<Self, RepositoryError> {
        Ok(Self {
            id: row.id.into(),
            chat_id: row.chat_id.into(),
            seq: place(row.id, row.seq)?,
            sender: row.sender.try_into()?,
            content: match row.deleted_at {
                Some(at) => MessageContent::Deleted {
                    at: Timestamp::from_millis(at),
                },
                None => MessageContent::Present {
                    body: body(row.id, row.body)?,
                    attachments: attachments(row.id, row.attachments_view.as_deref())?,
                },
            },
            reply_to: row.reply_to.map(ReplyPreview::try_from).transpose()?,
            addressee: row.addressee.map(UserId::from),
            created_at: Timestamp::from_millis(row.created_at),
            edited_at: row.edited_at.map(Timestamp::from_millis),
        })
    }
}

/// The stored number of that message.
pub(super) fn place(message: DbId, seq: i64) -> Result<Seq, RepositoryError> {
    Seq::new(seq).ok_or_else(|| refuse(message, "a negative number"))
}

fn body(message: DbId, text: Option<String>) -> Result<Option<MessageBody>, RepositoryError> {
    text.map(MessageBody::new)
        .transpose()
        .map_err(|why| refuse(message, why))
}

fn attachments(message: DbId, view: Option<&str>) -> Result<Vec<File>, RepositoryError> {
    view.map(files::all_from_view)
        .transpose()
        .map(Option::unwrap_or_default)
        .map_err(|why| refuse(message, why))
}

fn refuse(message: DbId, why: impl Display) -> RepositoryError {
    inconsistent("messages", message, why)
}
