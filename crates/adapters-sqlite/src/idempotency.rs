//! The records of keyed creations. They are read and written in the transaction that creates, and there is one writer:
//! of two copies of a request, the second finds the first one's record.

use crate::id::DbId;
use crate::schema::idempotency_keys::{self as keys, dsl};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use tertulia_domain::idempotency::REMEMBERED;
use tertulia_domain::repository::RepositoryError;
use tertulia_domain::{Claim, Message, Recorded, Recording, StoredAnswer};
use tertulia_sql_support::{MessageSnapshot, TxError, inconsistent};

/// What a key stands for.
pub(crate) enum Known {
    /// Nothing yet.
    Nothing,
    /// This request.
    Same(Record),
    /// Another one.
    Other,
}

/// A keyed creation that happened.
#[derive(Queryable, Selectable)]
#[diesel(table_name = keys, check_for_backend(Sqlite))]
pub(crate) struct Record {
    user_id: DbId,
    key: String,
    fingerprint: Vec<u8>,
    status: Option<i32>,
    answer: Option<Vec<u8>>,
    message: Option<String>,
}

impl Record {
    fn refuse(&self, why: impl std::fmt::Display) -> RepositoryError {
        inconsistent("idempotency_keys", format_args!("{} {:?}", self.user_id, self.key), why)
    }

    fn into_answer(mut self) -> Result<StoredAnswer, RepositoryError> {
        let status = self.status.and_then(|status| u16::try_from(status).ok());
        match (status, self.answer.take()) {
            (Some(status), Some(body)) => Ok(StoredAnswer { status, body }),
            _ => Err(self.refuse("there is no answer")),
        }
    }

    /// The message that was sent, as it was then.
    pub(crate) fn into_message(self) -> Result<Message, RepositoryError> {
        let json = self
            .message
            .as_deref()
            .ok_or_else(|| self.refuse("there is no message"))?;
        let snapshot: MessageSnapshot = serde_json::from_str(json).map_err(|why| self.refuse(why))?;
        snapshot.restore()
    }
}

/// Looks a claim's key up.
pub(crate) fn recall(conn: &mut SqliteConnection, claim: &Claim) -> QueryResult<Known> {
    let record: Option<Record> = keys::table
        .find((DbId::from(claim.user_id), claim.key.as_str()))
        .filter(dsl::created_at.ge(claim.at.minus(REMEMBERED).as_millis()))
        .select(Record::as_select())
        .get_result(conn)
        .optional()?;
    Ok(match record {
        None => Known::Nothing,
        Some(record) if record.fingerprint == claim.fingerprint.0 => Known::Same(record),
        Some(_) => Known::Other,
    })
}

#[derive(Insertable)]
#[diesel(table_name = keys, treat_none_as_default_value = false)]
struct NewRecord<'a> {
    user_id: DbId,
    key: &'a str,
    fingerprint: &'a [u8],
    created_at: i64,
    status: Option<i32>,
    answer: Option<Vec<u8>>,
    message: Option<String>,
}

impl<'a> NewRecord<'a> {
    fn of(claim: &'a Claim) -> Self {
        Self {
            user_id: claim.user_id.into(),
            key: claim.key.as_str(),
            fingerprint: &claim.fingerprint.0,
            created_at: claim.at.as_millis(),
            status: None,
            answer: None,
            message: None,
        }
    }

    /// Takes the place of a record that is too old to be remembered.
    fn store(self, conn: &mut SqliteConnection) -> QueryResult<()> {
        diesel::replace_into(keys::table).values(self).execute(conn).map(drop)
    }
}

/// Writes down what was sent under a claim that [`recall`] knew nothing of.
pub(crate) fn remember_message<E>(
    conn: &mut SqliteConnection,
    claim: &Claim,
    message: &Message,
) -> Result<(), TxError<E>> {
    let json = serde_json::to_string(&MessageSnapshot::from(message))
        .map_err(|error| RepositoryError::Other(Box::new(error)))?;
    let record = NewRecord {
        message: Some(json),
        ..NewRecord::of(claim)
    };
    Ok(record.store(conn)?)
}

/// Creates something once: with a recording whose claim is known, the first answer is given again, or `reused` if it
/// was the answer to another request.
pub(crate) fn once<T, E>(
    conn: &mut SqliteConnection,
    recording: Option<&Recording<T>>,
    reused: E,
    create: impl FnOnce(&mut SqliteConnection) -> Result<T, TxError<E>>,
) -> Result<Recorded<T>, TxError<E>> {
    let Some(Recording { claim, encode }) = recording else {
        return create(conn).map(Recorded::Fresh);
    };
    match recall(conn, claim)? {
        Known::Nothing => {}
        Known::Same(record) => return Ok(Recorded::Replayed(record.into_answer()?)),
        Known::Other => return Err(TxError::Named(reused)),
    }
    let created = create(conn)?;
    let answer = encode(&created);
    let record = NewRecord {
        status: Some(answer.status.into()),
        answer: Some(answer.body),
        ..NewRecord::of(claim)
    };
    record.store(conn)?;
    Ok(Recorded::Fresh(created))
}
