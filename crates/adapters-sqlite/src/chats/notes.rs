use super::touch;
use crate::id::DbId;
use crate::schema::{chat_notes as notes, chats};
use diesel::prelude::*;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{Note, NoteText, Timestamp};
use tertulia_sql_support::{TxError, inconsistent};

/// Puts a note in the place of the last message that there is now. False when there is no such chat.
pub(super) fn set(conn: &mut SqliteConnection, chat: DbId, note: &Note, at: Timestamp) -> QueryResult<bool> {
    let last_seq: Option<i64> = chats::table
        .find(chat)
        .select(chats::last_seq)
        .get_result(conn)
        .optional()?;
    let Some(last_seq) = last_seq else { return Ok(false) };
    diesel::replace_into(notes::table)
        .values((
            notes::chat_id.eq(chat),
            notes::text.eq(note.text.as_str()),
            notes::sender_id.eq(DbId::from(note.sender)),
            notes::at.eq(note.at.as_millis()),
            notes::seq.eq(last_seq),
        ))
        .execute(conn)?;
    touch(conn, chat, at)?;
    Ok(true)
}

/// The note that stands in the place of the message of that number.
pub(super) fn at<E>(conn: &mut SqliteConnection, chat: DbId, last_seq: i64) -> Result<Option<Note>, TxError<E>> {
    let found: Option<(String, DbId, i64)> = notes::table
        .find(chat)
        .filter(notes::seq.eq(last_seq))
        .select((notes::text, notes::sender_id, notes::at))
        .get_result(conn)
        .optional()?;
    Ok(found.map(|row| read(chat, row)).transpose()?)
}

fn read(chat: DbId, (text, sender, at): (String, DbId, i64)) -> Result<Note, RepositoryError> {
    Ok(Note {
        text: NoteText::new(&text).map_err(|why| inconsistent("chat_notes", chat, why))?,
        sender: sender.into(),
        at: Timestamp::from_millis(at),
    })
}
