use crate::id::DbId;
use crate::schema::audit_log::{self, dsl};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use std::fmt::Display;
use tertulia_domain::repository::{AuditCursor, RepositoryError};
use tertulia_domain::{AuditAction, AuditEntry, Limit, Page, Reason, Timestamp};
use tertulia_sql_support::{TxError, inconsistent};

/// An act that is to be logged, in the transaction that does it.
pub(super) struct Act<'a> {
    pub(super) at: Timestamp,
    pub(super) actor: DbId,
    pub(super) action: AuditAction,
    /// Whom it concerns.
    pub(super) user: DbId,
    pub(super) message: Option<DbId>,
    pub(super) reason: Option<&'a Reason>,
}

pub(super) fn log(conn: &mut SqliteConnection, act: &Act<'_>) -> QueryResult<()> {
    diesel::insert_into(audit_log::table)
        .values((
            dsl::at.eq(act.at.as_millis()),
            dsl::actor_id.eq(act.actor),
            dsl::action.eq(act.action.as_str()),
            dsl::user_id.eq(act.user),
            dsl::message_id.eq(act.message),
            dsl::reason.eq(act.reason.map(Reason::as_str)),
        ))
        .execute(conn)
        .map(drop)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_log, check_for_backend(Sqlite))]
struct EntryRow {
    number: i64,
    at: i64,
    actor_id: DbId,
    action: String,
    user_id: DbId,
    message_id: Option<DbId>,
    reason: Option<String>,
}

impl TryFrom<EntryRow> for AuditEntry {
    type Error = RepositoryError;

    fn try_from(row: EntryRow) -> Result<Self, RepositoryError> {
        let refuse = |why: &dyn Display| inconsistent("audit_log", row.number, why);
        let reason = row.reason.as_deref().map(Reason::new).transpose();
        Ok(Self {
            number: row.number,
            at: Timestamp::from_millis(row.at),
            actor_id: row.actor_id.into(),
            action: AuditAction::parse(&row.action)
                .ok_or_else(|| refuse(&format_args!("{:?} is no action", row.action)))?,
            user_id: row.user_id.into(),
            message_id: row.message_id.map(Into::into),
            reason: reason.map_err(|why| refuse(&why))?,
        })
    }
}

pub(super) fn list(
    conn: &mut SqliteConnection,
    after: Option<AuditCursor>,
    limit: Limit,
) -> Result<Page<AuditEntry, AuditCursor>, TxError<RepositoryError>> {
    let after = after.map_or(i64::MAX, |AuditCursor(number)| number);
    let rows: Vec<EntryRow> = audit_log::table
        .filter(dsl::number.lt(after))
        .order(dsl::number.desc())
        .limit(limit.fetch())
        .select(EntryRow::as_select())
        .load(conn)?;
    let entries = rows.into_iter().map(AuditEntry::try_from).collect::<Result<_, _>>()?;
    Ok(Page::from_fetched(entries, limit, |entry: &AuditEntry| {
        AuditCursor(entry.number)
    }))
}
