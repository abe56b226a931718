//! The mails that are still to be sent.

use crate::id::DbId;
use crate::schema::outbox::{self, dsl};
use crate::sql::Sql;
use crate::store::Store;
use async_trait::async_trait;
use diesel::dsl::min;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use std::fmt::Display;
use tertulia_domain::repository::{DueMail, MailDraft, OutboxRepository, RepositoryError};
use tertulia_domain::{Email, Mail, MailId, Timestamp};
use tertulia_sql_support::{TxError, inconsistent};

/// The outbox, on SQLite.
#[derive(Clone)]
pub struct SqliteOutboxRepository {
    store: Store,
}

impl SqliteOutboxRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

/// Stores a mail in the transaction that causes it. It is due at once.
pub(crate) fn store(conn: &mut SqliteConnection, recipient: &str, mail: &MailDraft, at: Timestamp) -> QueryResult<()> {
    diesel::insert_into(outbox::table)
        .values((
            dsl::id.eq(DbId::from(mail.id)),
            dsl::recipient.eq(recipient),
            dsl::subject.eq(&mail.subject),
            dsl::body.eq(&mail.text),
            dsl::created_at.eq(at.as_millis()),
            dsl::due_at.eq(at.as_millis()),
        ))
        .execute(conn)
        .map(drop)
}

/// Removes a mail.
pub(crate) fn remove(conn: &mut SqliteConnection, id: DbId) -> QueryResult<()> {
    diesel::delete(outbox::table.find(id)).execute(conn).map(drop)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = outbox, check_for_backend(Sqlite))]
struct MailRow {
    id: DbId,
    recipient: String,
    subject: String,
    body: String,
    created_at: i64,
    attempts: i64,
}

impl TryFrom<MailRow> for DueMail {
    type Error = RepositoryError;

    fn try_from(row: MailRow) -> Result<Self, RepositoryError> {
        let refuse = |why: &dyn Display| inconsistent("outbox", row.id, why);
        Ok(Self {
            mail: Mail {
                id: row.id.into(),
                to: Email::new(&row.recipient).map_err(|why| refuse(&why))?,
                subject: row.subject,
                text: row.body,
            },
            attempts: u32::try_from(row.attempts).map_err(|why| refuse(&why))?,
            created_at: Timestamp::from_millis(row.created_at),
        })
    }
}

const TAKE: &[&str] = &["UPDATE outbox SET due_at = ?, attempts = attempts + 1 WHERE id = ?"];

fn take(
    conn: &mut SqliteConnection,
    at: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<DueMail>, TxError<RepositoryError>> {
    let rows: Vec<MailRow> = outbox::table
        .filter(dsl::due_at.le(at.as_millis()))
        .order((dsl::due_at, dsl::id))
        .limit(limit.into())
        .select(MailRow::as_select())
        .load(conn)?;
    let mut taken = Vec::with_capacity(rows.len());
    for mut row in rows {
        Sql::<()>::new(TAKE)
            .integer(until.as_millis())
            .id(row.id)
            .execute(conn)?;
        row.attempts += 1;
        taken.push(row.try_into()?);
    }
    Ok(taken)
}

#[async_trait]
impl OutboxRepository for SqliteOutboxRepository {
    async fn take(&self, at: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<DueMail>, RepositoryError> {
        self.store.write(move |conn| take(conn, at, until, limit)).await
    }

    async fn sent(&self, id: MailId) -> Result<(), RepositoryError> {
        self.store.write(move |conn| Ok(remove(conn, id.into())?)).await
    }

    async fn failed(&self, id: MailId, error: &str, retry_at: Option<Timestamp>) -> Result<(), RepositoryError> {
        let id = DbId::from(id);
        let Some(retry_at) = retry_at else {
            return self.store.write(move |conn| Ok(remove(conn, id)?)).await;
        };
        let error = error.to_owned();
        let note = move |conn: &mut SqliteConnection| {
            diesel::update(outbox::table.find(id))
                .set((dsl::due_at.eq(retry_at.as_millis()), dsl::last_error.eq(error)))
                .execute(conn)?;
            Ok(())
        };
        self.store.write(note).await
    }

    async fn oldest(&self) -> Result<Option<Timestamp>, RepositoryError> {
        let oldest = |conn: &mut SqliteConnection| {
            let oldest: Option<i64> = outbox::table.select(min(dsl::created_at)).get_result(conn)?;
            Ok(oldest.map(Timestamp::from_millis))
        };
        self.store.read(oldest).await
    }
}
