use super::{read, row};
use crate::chats::touch;
use crate::events::{record, record_erasure, recount};
use crate::files;
use crate::id::DbId;
use crate::schema::{message_attachments as attachments, messages};
use crate::sql::Sql;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::Binary;
use std::collections::BTreeSet;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{Message, MessageBody, Timestamp};
use tertulia_sql_support::{ChangeRecord, TxError};

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
    let edited: Vec<i64> = diesel::update(message)
        .set((messages::body.eq(body.as_str()), messages::edited_at.eq(at.as_millis())))
        .returning(messages::seq)
        .load(conn)?;
    let Some(seq) = edited.into_iter().next() else {
        return Ok(None);
    };
    touch(conn, chat, at)?;
    record(conn, chat, ChangeRecord::MessageUpdated(row::place(id, seq)?), at)?;
    read::one(conn, chat, id)
}

/// What was to be blanked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blanked {
    /// It is blank now.
    Now {
        /// Whose message it was.
        sender: DbId,
    },
    /// It was blank before.
    Before,
    /// There is no such message in that chat.
    NotFound,
}

/// Blanks one message, and takes its files away.
pub(crate) fn blank<E>(
    conn: &mut SqliteConnection,
    chat: DbId,
    id: DbId,
    at: Timestamp,
) -> Result<Blanked, TxError<E>> {
    let message = messages::table
        .filter(messages::id.eq(id))
        .filter(messages::chat_id.eq(chat));
    let blanked: Vec<(DbId, i64)> = diesel::update(message.filter(messages::deleted_at.is_null()))
        .set(blanks(at))
        .returning((messages::sender_id, messages::seq))
        .load(conn)?;
    if let Some((sender, seq)) = blanked.into_iter().next() {
        let place = attachments::table
            .filter(attachments::chat_id.eq(chat))
            .filter(attachments::seq.eq(seq));
        let files: Vec<DbId> = diesel::delete(place).returning(attachments::file_id).load(conn)?;
        files::release(conn, files, at)?;
        touch(conn, chat, at)?;
        record(conn, chat, ChangeRecord::MessageDeleted(row::place(id, seq)?), at)?;
        return Ok(Blanked::Now { sender });
    }
    let there: bool = diesel::select(exists(message)).get_result(conn)?;
    Ok(if there { Blanked::Before } else { Blanked::NotFound })
}

const DETACH_ALL_OF: &[&str] = &["DELETE FROM message_attachments WHERE (chat_id, seq) IN (
        SELECT chat_id, seq FROM messages WHERE sender_id = ? AND attachments_view IS NOT NULL
    )
    RETURNING file_id"];

/// Blanks everything that somebody ever sent, and takes the files away; gives the numbers of messages that were not blank
/// before and of files that went.
///
/// This reads the whole table, three times: accounts are erased seldom, and an index on senders would cost every send a tenth.
pub(crate) fn blank_all_of(conn: &mut SqliteConnection, sender: DbId, at: Timestamp) -> QueryResult<(u64, u64)> {
    let files: Vec<DbId> = Sql::<Binary>::new(DETACH_ALL_OF).id(sender).load(conn)?;
    record_erasure(conn, sender, at)?;
    let chats: Vec<DbId> = diesel::update(messages::table)
        .filter(messages::sender_id.eq(sender))
        .filter(messages::deleted_at.is_null())
        .set(blanks(at))
        .returning(messages::chat_id)
        .load(conn)?;
    for chat in chats.iter().collect::<BTreeSet<_>>() {
        touch(conn, *chat, at)?;
        recount(conn, *chat)?;
    }
    let files = files::release(conn, files, at)?;
    Ok((chats.len() as u64, files))
}

type Blanks = (
    diesel::dsl::Eq<messages::body, Option<&'static str>>,
    diesel::dsl::Eq<messages::attachments_view, Option<&'static str>>,
    diesel::dsl::Eq<messages::deleted_at, i64>,
);

fn blanks(at: Timestamp) -> Blanks {
    (
        messages::body.eq(None),
        messages::attachments_view.eq(None),
        messages::deleted_at.eq(at.as_millis()),
    )
}
