//! What becomes of a message after it was sent. The chat's row is always locked before its messages'.

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

/// The sender, if there is such a message; whether it was there until now; and the files that hung on it.
struct Blank;

impl Statement for Blank {
    type Columns = (SqlUuid, Bool, Array<SqlUuid>);
    const SQL: &'static str = "
        WITH found AS (
            SELECT m.chat_id, m.sender_id, m.deleted_at FROM messages m WHERE m.chat_id = $1 AND m.id = $2
        ),
        touched AS (
            UPDATE chats c SET updated_at = GREATEST(c.updated_at, $3)
            FROM found
            WHERE c.id = found.chat_id AND found.deleted_at IS NULL
            RETURNING c.id
        ),
        blanked AS (
            UPDATE messages m SET body = NULL, attachments_view = NULL, deleted_at = $3
            FROM touched
            WHERE m.chat_id = touched.id AND m.id = $2 AND m.deleted_at IS NULL
            RETURNING m.chat_id, m.seq
        ),
        freed AS (
            DELETE FROM message_attachments a USING blanked
            WHERE a.chat_id = blanked.chat_id AND a.seq = blanked.seq
            RETURNING a.file_id
        )
        SELECT found.sender_id, EXISTS (SELECT FROM blanked), ARRAY(SELECT file_id FROM freed) FROM found";
}

/// Reads all messages that there are: no index leads from a user to what they wrote, which would be a burden on every
/// send for the sake of this alone.
struct BlankAll;

impl Statement for BlankAll {
    type Columns = (BigInt, Array<SqlUuid>);
    const SQL: &'static str = "
        WITH blanked AS (
            UPDATE messages m SET body = NULL, attachments_view = NULL, deleted_at = $2
            WHERE m.sender_id = $1 AND m.deleted_at IS NULL
            RETURNING m.chat_id, m.seq
        ),
        freed AS (
            DELETE FROM message_attachments a USING blanked
            WHERE a.chat_id = blanked.chat_id AND a.seq = blanked.seq
            RETURNING a.file_id
        ),
        touched AS (
            UPDATE chats c SET updated_at = GREATEST(c.updated_at, $2)
            WHERE c.id IN (SELECT chat_id FROM blanked)
        )
        SELECT (SELECT count(*) FROM blanked), ARRAY(SELECT DISTINCT file_id FROM freed)";
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
