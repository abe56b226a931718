//! What becomes of a message after it was sent. The chat's row is always locked before its messages'.

use crate::rows::{MessageColumns, MessageRow, message_columns, message_joins};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{ChatId, Message, MessageBody, MessageId, Timestamp, UserId};
use tertulia_sql_support::TxError;

struct Edit;

impl Statement for Edit {
    type Columns = MessageColumns;
    const SQL: &'static str = concat!(
        "WITH touched AS (
            UPDATE chats c SET updated_at = GREATEST(c.updated_at, $4)
            FROM messages m
            WHERE m.chat_id = $1 AND m.id = $2 AND m.deleted_at IS NULL AND c.id = m.chat_id
            RETURNING c.id
        ),
        m AS (
            UPDATE messages SET body = $3, edited_at = $4
            FROM touched
            WHERE messages.chat_id = touched.id AND messages.id = $2 AND messages.deleted_at IS NULL
            RETURNING messages.*
        )
        SELECT ",
        message_columns!(),
        " FROM m ",
        message_joins!()
    );
}

struct Blank;

impl Statement for Blank {
    type Columns = Bool;
    const SQL: &'static str = "
        WITH found AS (
            SELECT m.chat_id, m.deleted_at FROM messages m WHERE m.chat_id = $1 AND m.id = $2
        ),
        touched AS (
            UPDATE chats c SET updated_at = GREATEST(c.updated_at, $3)
            FROM found
            WHERE c.id = found.chat_id AND found.deleted_at IS NULL
            RETURNING c.id
        ),
        blanked AS (
            UPDATE messages m SET body = NULL, deleted_at = $3
            FROM touched
            WHERE m.chat_id = touched.id AND m.id = $2 AND m.deleted_at IS NULL
        )
        SELECT EXISTS (SELECT FROM found)";
}

/// Reads all messages that there are: no index leads from a user to what they wrote, which would be a burden on every
/// send for the sake of this alone.
struct BlankAll;

impl Statement for BlankAll {
    type Columns = BigInt;
    const SQL: &'static str = "
        WITH blanked AS (
            UPDATE messages m SET body = NULL, deleted_at = $2
            WHERE m.sender_id = $1 AND m.deleted_at IS NULL
            RETURNING m.chat_id
        ),
        touched AS (
            UPDATE chats c SET updated_at = GREATEST(c.updated_at, $2)
            WHERE c.id IN (SELECT chat_id FROM blanked)
        )
        SELECT count(*) FROM blanked";
}

pub(super) fn edit(
    connection: &mut PgConnection,
    chat_id: ChatId,
    id: MessageId,
    body: &MessageBody,
    at: Timestamp,
) -> Result<Option<Message>, TxError<RepositoryError>> {
    let edited = prepared::<Edit, _>((
        chat_id.as_uuid().into_sql::<SqlUuid>(),
        id.as_uuid().into_sql::<SqlUuid>(),
        body.as_str().into_sql::<Text>(),
        PgTime(at).into_sql::<Timestamptz>(),
    ))
    .get_result::<MessageRow>(connection)
    .optional()?;
    Ok(edited.map(Message::try_from).transpose()?)
}

/// False when there is no such message in that chat.
pub(super) fn blank(connection: &mut PgConnection, chat_id: ChatId, id: MessageId, at: Timestamp) -> QueryResult<bool> {
    prepared::<Blank, _>((
        chat_id.as_uuid().into_sql::<SqlUuid>(),
        id.as_uuid().into_sql::<SqlUuid>(),
        PgTime(at).into_sql::<Timestamptz>(),
    ))
    .get_result(connection)
}

/// Blanks everything that a user ever sent; gives the number of messages. For a transaction that has locked the chats
/// with them.
pub(crate) fn blank_all(connection: &mut PgConnection, sender: UserId, at: Timestamp) -> QueryResult<i64> {
    prepared::<BlankAll, _>((
        sender.as_uuid().into_sql::<SqlUuid>(),
        PgTime(at).into_sql::<Timestamptz>(),
    ))
    .get_result(connection)
}
