use super::audit::{Act, log};
use crate::client::conflict;
use crate::rows::{Reader, read_all};
use crate::statement::{Statement, prepared};
use crate::time::PgTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tertulia_domain::repository::{NewReport, ReportCursor, ReportFilter, RepositoryError};
use tertulia_domain::{
    AuditAction, ChatId, Limit, MessageId, Page, Reason, Report, ReportId, Resolution, Timestamp, UserId,
};
use tertulia_sql_support::TxError;
use uuid::Uuid;

type Columns = (
    SqlUuid,
    SqlUuid,
    SqlUuid,
    SqlUuid,
    BigInt,
    SqlUuid,
    Nullable<Text>,
    Text,
    Timestamptz,
    Nullable<(SqlUuid, Timestamptz, Text)>,
);

macro_rules! report_columns {
    () => {
        "id, reporter_id, chat_id, message_id, seq, sender_id, body, reason, created_at,
         resolved_by, resolved_at, resolution"
    };
}

/// Of two reports of one message by one user at once the second waits for the first, and is then not made.
struct Insert;

impl Statement for Insert {
    type Columns = Columns;
    const SQL: &'static str = concat!(
        "INSERT INTO reports (id, reporter_id, chat_id, message_id, seq, sender_id, body, reason, created_at)
        SELECT $1, $2, m.chat_id, m.id, m.seq, m.sender_id, m.body, $5, $6
        FROM messages m
        WHERE m.chat_id = $3 AND m.id = $4
        ON CONFLICT (reporter_id, message_id) WHERE resolved_at IS NULL DO NOTHING
        RETURNING ",
        report_columns!()
    );
}

struct FindOpen;

impl Statement for FindOpen {
    type Columns = Columns;
    const SQL: &'static str = concat!(
        "SELECT ",
        report_columns!(),
        " FROM reports WHERE reporter_id = $1 AND message_id = $2 AND chat_id = $3 AND resolved_at IS NULL"
    );
}

struct MessageExists;

impl Statement for MessageExists {
    type Columns = Bool;
    const SQL: &'static str = "SELECT EXISTS (SELECT FROM messages WHERE chat_id = $1 AND id = $2)";
}

/// Those that are open, or not, or all for NULL.
struct List;

impl Statement for List {
    type Columns = Columns;
    const SQL: &'static str = concat!(
        "SELECT ",
        report_columns!(),
        "
        FROM reports
        WHERE id < $1 AND ($2 IS NULL OR (resolved_at IS NULL) = $2)
        ORDER BY id DESC
        LIMIT (SELECT $3)"
    );
}

struct Lock;

impl Statement for Lock {
    type Columns = Columns;
    const SQL: &'static str = concat!(
        "SELECT ",
        report_columns!(),
        " FROM reports WHERE id = $1 FOR NO KEY UPDATE"
    );
}

struct Resolve;

impl Statement for Resolve {
    type Columns = Columns;
    const SQL: &'static str = concat!(
        "UPDATE reports SET resolved_by = $2, resolved_at = $3, resolution = $4 WHERE id = $1 RETURNING ",
        report_columns!()
    );
}

#[derive(Queryable)]
struct ReportRow {
    id: Uuid,
    reporter_id: Uuid,
    chat_id: Uuid,
    message_id: Uuid,
    seq: i64,
    sender_id: Uuid,
    body: Option<String>,
    reason: String,
    created_at: PgTime,
    resolution: Option<(Uuid, PgTime, String)>,
}

impl TryFrom<ReportRow> for Report {
    type Error = RepositoryError;

    fn try_from(row: ReportRow) -> Result<Self, RepositoryError> {
        let reader = Reader {
            table: "reports",
            key: row.id,
        };
        let reason = |text: &str| Reason::new(text).map_err(|error| reader.refuse(error));
        let resolution = match row.resolution {
            None => None,
            Some((by, at, note)) => Some(Resolution {
                by: UserId::from_uuid(by),
                at: at.into(),
                note: reason(&note)?,
            }),
        };
        Ok(Self {
            id: ReportId::from_uuid(row.id),
            reporter_id: UserId::from_uuid(row.reporter_id),
            chat_id: ChatId::from_uuid(row.chat_id),
            message_id: MessageId::from_uuid(row.message_id),
            seq: reader.seq(row.seq)?,
            sender_id: UserId::from_uuid(row.sender_id),
            body: row.body,
            reason: reason(&row.reason)?,
            created_at: row.created_at.into(),
            resolution,
        })
    }
}

/// For a transaction.
pub(super) fn report<E>(connection: &mut PgConnection, new: &NewReport) -> Result<Option<Report>, TxError<E>> {
    let reporter = new.reporter_id.as_uuid().into_sql::<SqlUuid>();
    let chat = new.chat_id.as_uuid().into_sql::<SqlUuid>();
    let message = new.message_id.as_uuid().into_sql::<SqlUuid>();
    let inserted = prepared::<Insert, _>((
        new.id.as_uuid().into_sql::<SqlUuid>(),
        reporter,
        chat,
        message,
        new.reason.as_str().into_sql::<Text>(),
        PgTime(new.at).into_sql::<Timestamptz>(),
    ))
    .get_result::<ReportRow>(connection)
    .optional()?;
    if let Some(row) = inserted {
        let report = Report::try_from(row)?;
        log(
            connection,
            &Act {
                actor: new.reporter_id,
                action: AuditAction::Report,
                user: report.sender_id,
                message: Some(new.message_id),
                reason: Some(&new.reason),
                at: new.at,
            },
        )?;
        return Ok(Some(report));
    }
    if !prepared::<MessageExists, _>((chat, message)).get_result::<bool>(connection)? {
        return Ok(None);
    }
    let open = prepared::<FindOpen, _>((reporter, message, chat))
        .get_result::<ReportRow>(connection)
        .optional()?;
    match open {
        Some(row) => Ok(Some(row.try_into()?)),
        None => Err(conflict("a report that was open is settled").into()),
    }
}

pub(super) fn page(
    connection: &mut PgConnection,
    filter: ReportFilter,
    after: Option<ReportCursor>,
    limit: Limit,
) -> Result<Page<Report, ReportCursor>, TxError<RepositoryError>> {
    // Without a cursor the page begins below a place that no report can have.
    let ReportCursor(after) = after.unwrap_or(ReportCursor(ReportId::from_uuid(Uuid::max())));
    let open = match filter {
        ReportFilter::Open => Some(true),
        ReportFilter::Resolved => Some(false),
        ReportFilter::All => None,
    };
    let rows = prepared::<List, _>((
        after.as_uuid().into_sql::<SqlUuid>(),
        open.into_sql::<Nullable<Bool>>(),
        limit.fetch().into_sql::<BigInt>(),
    ))
    .load::<ReportRow>(connection)?;
    Ok(Page::from_fetched(read_all(rows)?, limit, |report: &Report| {
        ReportCursor(report.id)
    }))
}

/// For a transaction.
pub(super) fn resolve(
    connection: &mut PgConnection,
    id: ReportId,
    by: UserId,
    note: &Reason,
    at: Timestamp,
) -> Result<Option<Report>, TxError<RepositoryError>> {
    let key = id.as_uuid().into_sql::<SqlUuid>();
    let found = prepared::<Lock, _>((key,))
        .get_result::<ReportRow>(connection)
        .optional()?;
    let Some(row) = found else { return Ok(None) };
    let before = Report::try_from(row)?;
    if before.resolution.is_some() {
        return Ok(Some(before));
    }
    let row = prepared::<Resolve, _>((
        key,
        by.as_uuid().into_sql::<SqlUuid>(),
        PgTime(at).into_sql::<Timestamptz>(),
        note.as_str().into_sql::<Text>(),
    ))
    .get_result::<ReportRow>(connection)?;
    log(
        connection,
        &Act {
            actor: by,
            action: AuditAction::ResolveReport,
            user: before.sender_id,
            message: Some(before.message_id),
            reason: Some(note),
            at,
        },
    )?;
    Ok(Some(row.try_into()?))
}
