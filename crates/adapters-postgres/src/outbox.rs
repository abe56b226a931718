//! Mails that are still to be sent.

use crate::client::Client;
use crate::rows::read_all;
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{DueMail, MailDraft, OutboxRepository, RepositoryError};
use tertulia_domain::{Email, Mail, MailId, Timestamp};
use tertulia_sql_support::inconsistent;
use uuid::Uuid;

/// The mails.
pub struct PgOutboxRepository {
    client: Client,
}

impl PgOutboxRepository {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

struct Enqueue;

impl Statement for Enqueue {
    type Columns = ();
    const SQL: &'static str = "
        INSERT INTO outbox (id, recipient, subject, body, created_at, due_at) VALUES ($1, $2, $3, $4, $5, $5)";
}

/// Stores a mail, in the transaction that causes it.
pub(crate) fn enqueue(connection: &mut PgConnection, mail: &MailDraft, to: &str, at: Timestamp) -> QueryResult<()> {
    prepared::<Enqueue, _>((
        mail.id.as_uuid().into_sql::<SqlUuid>(),
        to.into_sql::<Text>(),
        mail.subject.as_str().into_sql::<Text>(),
        mail.text.as_str().into_sql::<Text>(),
        PgTime(at).into_sql::<Timestamptz>(),
    ))
    .execute(connection)?;
    Ok(())
}

/// Passes over mails that somebody else is about to take.
struct Take;

impl Statement for Take {
    type Columns = (SqlUuid, Text, Text, Text, Timestamptz, Integer);
    const SQL: &'static str = "
        WITH due AS (
            SELECT id, due_at FROM outbox WHERE due_at <= $1 ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED
        ),
        taken AS (
            UPDATE outbox o SET due_at = $2, attempts = o.attempts + 1
            FROM due
            WHERE o.id = due.id
            RETURNING o.id, o.recipient, o.subject, o.body, o.created_at, o.attempts
        )
        SELECT taken.* FROM taken JOIN due ON due.id = taken.id ORDER BY due.due_at, due.id";
}

struct Remove;

impl Statement for Remove {
    type Columns = ();
    const SQL: &'static str = "DELETE FROM outbox WHERE id = $1";
}

struct Postpone;

impl Statement for Postpone {
    type Columns = ();
    const SQL: &'static str = "UPDATE outbox SET due_at = $2, last_error = $3 WHERE id = $1";
}

struct Oldest;

impl Statement for Oldest {
    type Columns = Nullable<Timestamptz>;
    const SQL: &'static str = "SELECT min(created_at) FROM outbox";
}

#[derive(Queryable)]
struct DueRow {
    id: Uuid,
    recipient: String,
    subject: String,
    body: String,
    created_at: PgTime,
    attempts: i32,
}

impl TryFrom<DueRow> for DueMail {
    type Error = RepositoryError;

    fn try_from(row: DueRow) -> Result<Self, RepositoryError> {
        Ok(Self {
            mail: Mail {
                id: MailId::from_uuid(row.id),
                to: Email::new(&row.recipient).map_err(|error| inconsistent("outbox", row.id, error))?,
                subject: row.subject,
                text: row.body,
            },
            attempts: u32::try_from(row.attempts).map_err(|error| inconsistent("outbox", row.id, error))?,
            created_at: row.created_at.into(),
        })
    }
}

#[async_trait]
impl OutboxRepository for PgOutboxRepository {
    async fn take(&self, at: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<DueMail>, RepositoryError> {
        self.client
            .run(move |connection| {
                let rows = prepared::<Take, _>((
                    PgTime(at).into_sql::<Timestamptz>(),
                    PgTime(until).into_sql::<Timestamptz>(),
                    i64::from(limit).into_sql::<BigInt>(),
                ))
                .load::<DueRow>(connection)?;
                Ok(read_all(rows)?)
            })
            .await
    }

    async fn sent(&self, id: MailId) -> Result<(), RepositoryError> {
        self.client
            .run(move |connection| {
                prepared::<Remove, _>((id.as_uuid().into_sql::<SqlUuid>(),)).execute(connection)?;
                Ok(())
            })
            .await
    }

    async fn failed(&self, id: MailId, error: &str, retry_at: Option<Timestamp>) -> Result<(), RepositoryError> {
        // The database takes no NUL.
        let error = error.replace('\0', " ");
        self.client
            .run(move |connection| {
                let id = id.as_uuid().into_sql::<SqlUuid>();
                match retry_at {
                    None => prepared::<Remove, _>((id,)).execute(connection)?,
                    Some(at) => prepared::<Postpone, _>((
                        id,
                        PgTime(at).into_sql::<Timestamptz>(),
                        error.as_str().into_sql::<Text>(),
                    ))
                    .execute(connection)?,
                };
                Ok(())
            })
            .await
    }

    async fn oldest(&self) -> Result<Option<Timestamp>, RepositoryError> {
        self.client
            .run(|connection| {
                let oldest: Option<PgTime> = prepared::<Oldest, _>(()).get_result(connection)?;
                Ok(oldest.map(Into::into))
            })
            .await
    }
}
