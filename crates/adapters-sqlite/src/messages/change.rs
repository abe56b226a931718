use super::read;
use crate::chats::touch;
use crate::id::DbId;
use crate::schema::messages;
use diesel::dsl::exists;
use diesel::prelude::*;
use std::collections::BTreeSet;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{Message, MessageBody, Timestamp};
use tertulia_sql_support::TxError;

pub(super) fn edit(
    conn: &mut SqliteConnection,
    chat: DbId,
    id: DbId,
    body: &MessageBody,
    at: Timestamp,
) -> Result<Option<Message>, TxError<RepositoryError>> {
    let message = messages::table
        .filter(messages::id.eq(id))
        .filter(messages::chat_id.eq(chat))
        .filter(messages::deleted_at.is_null());
    let edited = diesel::update(message)
        .set((messages::body.eq(body.as_str()), messages::edited_at.eq(at.as_millis())))
        .execute(conn)?;
    if edited == 0 {
        return Ok(None);
    }
    touch(conn, chat, at)?;
    read::one(conn, chat, id)
}

/// Blanks one message. True also for one that was blank before.
pub(super) fn blank(conn: &mut SqliteConnection, chat: DbId, id: DbId, at: Timestamp) -> QueryResult<bool> {
    let message = messages::table
        .filter(messages::id.eq(id))
        .filter(messages::chat_id.eq(chat));
    let blanked = diesel::update(message.filter(messages::deleted_at.is_null()))
        .set(blanks(at))
        .execute(conn)?;
    if blanked > 0 {
        touch(conn, chat, at)?;
        return Ok(true);
    }
    diesel::select(exists(message)).get_result(conn)
}

/// Blanks everything that somebody ever sent; gives the number of messages that were not blank before.
///
/// This reads the whole table: accounts are erased seldom, and an index on senders would cost every send a tenth.
pub(crate) fn blank_all_of(conn: &mut SqliteConnection, sender: DbId, at: Timestamp) -> QueryResult<usize> {
    let chats: Vec<DbId> = diesel::update(messages::table)
        .filter(messages::sender_id.eq(sender))
        .filter(messages::deleted_at.is_null())
        .set(blanks(at))
        .returning(messages::chat_id)
        .load(conn)?;
    for chat in chats.iter().collect::<BTreeSet<_>>() {
        touch(conn, *chat, at)?;
    }
    Ok(chats.len())
}

type Blanks = (
    diesel::dsl::Eq<messages::body, Option<&'static str>>,
    diesel::dsl::Eq<messages::deleted_at, i64>,
);

fn blanks(at: Timestamp) -> Blanks {
    (messages::body.eq(None), messages::deleted_at.eq(at.as_millis()))
}
