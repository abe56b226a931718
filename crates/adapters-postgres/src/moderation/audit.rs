//! The log. A row is written in the transaction of the act that it tells of.

use crate::rows::{Reader, read_all};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{AuditCursor, RepositoryError};
use tertulia_domain::{AuditAction, AuditEntry, Limit, MessageId, Page, Reason, Timestamp, UserId};
use tertulia_sql_support::TxError;
use uuid::Uuid;

/// An act to be logged.
pub(super) struct Act<'a> {
    pub(super) actor: UserId,
    pub(super) action: AuditAction,
    pub(super) user: UserId,
    pub(super) message: Option<MessageId>,
    pub(super) reason: Option<&'a Reason>,
    pub(super) at: Timestamp,
}

struct Log;

impl Statement for Log {
    type Columns = ();
    const SQL: &'static str = "
        INSERT INTO audit_log (at, actor_id, action, user_id, message_id, reason) VALUES ($1, $2, $3, $4, $5, $6)";
}

pub(super) fn log(connection: &mut PgConnection, act: &Act<'_>) -> QueryResult<()> {
    prepared::<Log, _>((
        PgTime(act.at).into_sql::<Timestamptz>(),
        act.actor.as_uuid().into_sql::<SqlUuid>(),
        act.action.as_str().into_sql::<Text>(),
        act.user.as_uuid().into_sql::<SqlUuid>(),
        act.message
            .as_ref()
            .map(MessageId::as_uuid)
            .into_sql::<Nullable<SqlUuid>>(),
        act.reason.map(Reason::as_str).into_sql::<Nullable<Text>>(),
    ))
    .execute(connection)?;
    Ok(())
}

struct List;

impl Statement for List {
    type Columns = (
        BigInt,
        Timestamptz,
        SqlUuid,
        Text,
        SqlUuid,
        Nullable<SqlUuid>,
        Nullable<Text>,
    );
    const SQL: &'static str = "
        SELECT number, at, actor_id, action, user_id, message_id, reason
        FROM audit_log
        WHERE number < $1
        ORDER BY number DESC
        LIMIT (SELECT $2)";
}

#[derive(Queryable)]
struct EntryRow {
    number: i64,
    at: PgTime,
    actor_id: Uuid,
    action: String,
    user_id: Uuid,
    message_id: Option<Uuid>,
    reason: Option<String>,
}

impl TryFrom<EntryRow> for AuditEntry {
    type Error = RepositoryError;

    fn try_from(row: EntryRow) -> Result<Self, RepositoryError> {
        let reader = Reader {
            table: "audit_log",
            key: row.number,
        };
        Ok(Self {
            number: row.number,
            at: row.at.into(),
            actor_id: UserId::from_uuid(row.actor_id),
            action: reader.word(&row.action, AuditAction::parse)?,
            user_id: UserId::from_uuid(row.user_id),
            message_id: row.message_id.map(MessageId::from_uuid),
            reason: reader.text(row.reason.as_deref(), Reason::new)?,
        })
    }
}

pub(super) fn page(
    connection: &mut PgConnection,
    after: Option<AuditCursor>,
    limit: Limit,
) -> Result<Page<AuditEntry, AuditCursor>, TxError<RepositoryError>> {
    let AuditCursor(after) = after.unwrap_or(AuditCursor(i64::MAX));
    let rows = prepared::<List, _>((after.into_sql::<BigInt>(), limit.fetch().into_sql::<BigInt>()))
        .load::<EntryRow>(connection)?;
    Ok(Page::from_fetched(read_all(rows)?, limit, |entry: &AuditEntry| {
        AuditCursor(entry.number)
    }))
}
