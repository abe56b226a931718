use super::audit::{Act, log};
use crate::id::DbId;
use crate::schema::messages;
use crate::schema::reports::{self, dsl};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use std::fmt::Display;
use tertulia_domain::repository::{NewReport, ReportCursor, ReportFilter, RepositoryError};
use tertulia_domain::{AuditAction, Limit, Page, Reason, Report, Resolution, Seq, Timestamp};
use tertulia_sql_support::{TxError, inconsistent};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = reports, check_for_backend(Sqlite), treat_none_as_default_value = false)]
struct ReportRow {
    id: DbId,
    reporter_id: DbId,
    chat_id: DbId,
    message_id: DbId,
    seq: i64,
    sender_id: DbId,
    body: Option<String>,
    reason: String,
    created_at: i64,
    resolved_by: Option<DbId>,
    resolved_at: Option<i64>,
    resolution: Option<String>,
}

impl TryFrom<ReportRow> for Report {
    type Error = RepositoryError;

    fn try_from(row: ReportRow) -> Result<Self, RepositoryError> {
        let refuse = |why: &dyn Display| inconsistent("reports", row.id, why);
        let reason = |text: &str| Reason::new(text).map_err(|why| refuse(&why));
        Ok(Self {
            id: row.id.into(),
            reporter_id: row.reporter_id.into(),
            chat_id: row.chat_id.into(),
            message_id: row.message_id.into(),
            seq: Seq::new(row.seq).ok_or_else(|| refuse(&"a negative number"))?,
            sender_id: row.sender_id.into(),
            body: row.body,
            reason: reason(&row.reason)?,
            created_at: Timestamp::from_millis(row.created_at),
            resolution: match (row.resolved_by, row.resolved_at, &row.resolution) {
                (Some(by), Some(at), Some(note)) => Some(Resolution {
                    by: by.into(),
                    at: Timestamp::from_millis(at),
                    note: reason(note)?,
                }),
                _ => None,
            },
        })
    }
}

type Outcome<T> = Result<T, TxError<RepositoryError>>;

pub(super) fn report<E>(conn: &mut SqliteConnection, new: &NewReport) -> Result<Option<Report>, TxError<E>> {
    let (reporter, chat) = (DbId::from(new.reporter_id), DbId::from(new.chat_id));
    let message = DbId::from(new.message_id);
    let found: Option<(i64, DbId, Option<String>)> = messages::table
        .filter(messages::id.eq(message))
        .filter(messages::chat_id.eq(chat))
        .select((messages::seq, messages::sender_id, messages::body))
        .get_result(conn)
        .optional()?;
    let Some((seq, sender, body)) = found else {
        return Ok(None);
    };
    let open: Option<ReportRow> = reports::table
        .filter(dsl::reporter_id.eq(reporter))
        .filter(dsl::message_id.eq(message))
        .filter(dsl::resolved_at.is_null())
        .select(ReportRow::as_select())
        .get_result(conn)
        .optional()?;
    if let Some(open) = open {
        return Ok(Some(open.try_into()?));
    }
    let row = ReportRow {
        id: new.id.into(),
        reporter_id: reporter,
        chat_id: chat,
        message_id: message,
        seq,
        sender_id: sender,
        body,
        reason: new.reason.as_str().to_owned(),
        created_at: new.at.as_millis(),
        resolved_by: None,
        resolved_at: None,
        resolution: None,
    };
    diesel::insert_into(reports::table).values(&row).execute(conn)?;
    let act = Act {
        at: new.at,
        actor: reporter,
        action: AuditAction::Report,
        user: sender,
        message: Some(message),
        reason: Some(&new.reason),
    };
    log(conn, &act)?;
    Ok(Some(row.try_into()?))
}

pub(super) fn list(
    conn: &mut SqliteConnection,
    filter: ReportFilter,
    after: Option<ReportCursor>,
    limit: Limit,
) -> Outcome<Page<Report, ReportCursor>> {
    let mut wanted = reports::table.into_boxed();
    wanted = match filter {
        ReportFilter::Open => wanted.filter(dsl::resolved_at.is_null()),
        ReportFilter::Resolved => wanted.filter(dsl::resolved_at.is_not_null()),
        ReportFilter::All => wanted,
    };
    if let Some(ReportCursor(id)) = after {
        wanted = wanted.filter(dsl::id.lt(DbId::from(id)));
    }
    let rows: Vec<ReportRow> = wanted
        .order(dsl::id.desc())
        .limit(limit.fetch())
        .select(ReportRow::as_select())
        .load(conn)?;
    let reports = rows.into_iter().map(Report::try_from).collect::<Result<_, _>>()?;
    Ok(Page::from_fetched(reports, limit, |report: &Report| {
        ReportCursor(report.id)
    }))
}

pub(super) fn resolve(
    conn: &mut SqliteConnection,
    id: DbId,
    by: DbId,
    note: &Reason,
    at: Timestamp,
) -> Outcome<Option<Report>> {
    let resolved = diesel::update(reports::table.find(id).filter(dsl::resolved_at.is_null()))
        .set((
            dsl::resolved_by.eq(by),
            dsl::resolved_at.eq(at.as_millis()),
            dsl::resolution.eq(note.as_str()),
        ))
        .execute(conn)?;
    let row: Option<ReportRow> = reports::table
        .find(id)
        .select(ReportRow::as_select())
        .get_result(conn)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    if resolved > 0 {
        let act = Act {
            at,
            actor: by,
            action: AuditAction::ResolveReport,
            user: row.sender_id,
            message: Some(row.message_id),
            reason: Some(note),
        };
        log(conn, &act)?;
    }
    Ok(Some(row.try_into()?))
}
