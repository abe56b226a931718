//! What becomes of a message after it was sent. The chat's row is always locked before its messages', and a message
//! that turns out to be changed already is no event.

use crate::changes::{count_changes, insert_change};
use crate::files::release;
use crate::rows::{MessageColumns, MessageRow, message_columns, message_joins};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{ChatId, Message, MessageBody, MessageId, Timestamp, UserId};
use tertulia_sql_support::TxError;
use uuid::Uuid;

struct Edit;

impl Statement for Edit {
    type Columns = MessageColumns;
    const SQL: &'static str = concat!(
        "WITH locked AS (
            SELECT c.id
            FROM messages m JOIN chats c ON c.id = m.chat_id
            WHERE m.chat_id = $1 AND m.id = $2 AND m.deleted_at IS NULL
            FOR NO KEY UPDATE OF c
        ),
        m AS (
            UPDATE messages SET body = $3, edited_at = $4
            FROM locked
            WHERE messages.chat_id = locked.id AND messages.id = $2 AND messages.deleted_at IS NULL
            RETURNING messages.*
        ),
        c AS (
            UPDATE chats c SET updated_at = GREATEST(c.updated_at, $4), ",
        count_changes!("1", at: "$4"),
        "
            FROM m
            WHERE c.id = m.chat_id
            RETURNING c.*
        ),
        recorded AS (
            ",
        insert_change!("message.updated", user: "NULL", number: "m.seq", from: "c CROSS JOIN m"),
        "
        )
        SELECT ",
        message_columns!(),
        " FROM m ",
        message_joins!()
    );
}

/// The sender, if there is such a message; whether it was there until now; and the files that hung on it.
struct Blank;

impl Statement for Blank {
    type Columns = (SqlUuid, Bool, Array<SqlUuid>);
    const SQL: &'static str = concat!(
        "WITH found AS (
            SELECT m.chat_id, m.sender_id, m.deleted_at FROM messages m WHERE m.chat_id = $1 AND m.id = $2
        ),
        locked AS (
            SELECT c.id
            FROM found JOIN chats c ON c.id = found.chat_id
            WHERE found.deleted_at IS NULL
            FOR NO KEY UPDATE OF c
        ),
        blanked AS (
            UPDATE messages m SET body = NULL, attachments_view = NULL, deleted_at = $3
            FROM locked
            WHERE m.chat_id = locked.id AND m.id = $2 AND m.deleted_at IS NULL
            RETURNING m.chat_id, m.seq
        ),
        freed AS (
            DELETE FROM message_attachments a USING blanked
            WHERE a.chat_id = blanked.chat_id AND a.seq = blanked.seq
            RETURNING a.file_id
        ),
        c AS (
            UPDATE chats c SET updated_at = GREATEST(c.updated_at, $3), ",
        count_changes!("1", at: "$3"),
        "
            FROM blanked
            WHERE c.id = blanked.chat_id
            RETURNING c.*
        ),
        recorded AS (
            ",
        insert_change!("message.deleted", user: "NULL", number: "blanked.seq", from: "c CROSS JOIN blanked"),
        "
        )
        SELECT found.sender_id, EXISTS (SELECT FROM blanked), ARRAY(SELECT file_id FROM freed) FROM found"
    );
}

/// Reads all messages that there are: no index leads from a user to what they wrote, which would be a burden on every
/// send for the sake of this alone. The events of a chat are numbered in the order of its messages.
struct BlankAll;

impl Statement for BlankAll {
    type Columns = (BigInt, Array<SqlUuid>);
    const SQL: &'static str = concat!(
        "WITH blanked AS (
            UPDATE messages m SET body = NULL, attachments_view = NULL, deleted_at = $2
            WHERE m.sender_id = $1 AND m.deleted_at IS NULL
            RETURNING m.chat_id, m.seq
        ),
        freed AS (
            DELETE FROM message_attachments a USING blanked
            WHERE a.chat_id = blanked.chat_id AND a.seq = blanked.seq
            RETURNING a.file_id
        ),
        c AS (
            UPDATE chats c SET updated_at = GREATEST(c.updated_at, $2), ",
        count_changes!("counted.blanked", at: "$2"),
        "
            FROM (SELECT chat_id, count(*) AS blanked FROM blanked GROUP BY chat_id) counted
            WHERE c.id = counted.chat_id
            RETURNING c.id, c.last_seq, c.changed_at, c.last_seq + c.change_count - counted.blanked AS before
        ),
        recorded AS (
            INSERT INTO chat_changes (chat_id, event_seq, seq, kind, number, at)
            SELECT c.id, c.before + row_number() OVER (PARTITION BY c.id ORDER BY blanked.seq), c.last_seq,
                'message.deleted', blanked.seq, c.changed_at
            FROM c JOIN blanked ON blanked.chat_id = c.id
        )
        SELECT (SELECT count(*) FROM blanked), ARRAY(SELECT DISTINCT file_id FROM freed)"
    );
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

/// A message that is blank now.
pub(crate) struct Blanked {
    /// Who sent it.
    pub(crate) sender: UserId,
    /// Whether it was not blank before.
    pub(crate) fresh: bool,
}

/// Blanks a message, with its files, in a transaction of the caller's. `None` when there is no such message in that chat.
pub(crate) fn blank(
    connection: &mut PgConnection,
    chat_id: ChatId,
    id: MessageId,
    at: Timestamp,
) -> QueryResult<Option<Blanked>> {
    let found = prepared::<Blank, _>((
        chat_id.as_uuid().into_sql::<SqlUuid>(),
        id.as_uuid().into_sql::<SqlUuid>(),
        PgTime(at).into_sql::<Timestamptz>(),
    ))
    .get_result::<(Uuid, bool, Vec<Uuid>)>(connection)
    .optional()?;
    let Some((sender, fresh, files)) = found else {
        return Ok(None);
    };
    release(connection, &files, at)?;
    Ok(Some(Blanked {
        sender: UserId::from_uuid(sender),
        fresh,
    }))
}

/// Blanks everything that a user ever sent; gives the number of messages, and the files that hung on them, which are the
/// caller's to release. For a transaction that has locked the chats with them.
pub(crate) fn blank_all(connection: &mut PgConnection, sender: UserId, at: Timestamp) -> QueryResult<(i64, Vec<Uuid>)> {
    prepared::<BlankAll, _>((
        sender.as_uuid().into_sql::<SqlUuid>(),
        PgTime(at).into_sql::<Timestamptz>(),
    ))
    .get_result(connection)
}
