use super::Reader;
use crate::time::PgTime;
use diesel::Queryable;
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{Note, NoteText, UserId};
use uuid::Uuid;

/// What stands in the place of a chat's last message.
#[derive(Queryable)]
pub(crate) struct NoteRow {
    chat_id: Uuid,
    text: String,
    sender_id: Uuid,
    at: PgTime,
}

pub(crate) type NoteColumns = (SqlUuid, Text, SqlUuid, Timestamptz);

/// Of `chat_notes n`.
macro_rules! note_columns {
    () => {
        "n.chat_id, n.text, n.sender_id, n.at"
    };
}
pub(crate) use note_columns;

impl TryFrom<NoteRow> for Note {
    type Error = RepositoryError;

    fn try_from(row: NoteRow) -> Result<Self, RepositoryError> {
        let reader = Reader {
            table: "chat_notes",
            key: row.chat_id,
        };
        Ok(Self {
            text: NoteText::new(&row.text).map_err(|error| reader.refuse(error))?,
            sender: UserId::from_uuid(row.sender_id),
            at: row.at.into(),
        })
    }
}
