//! What only service admins may do. Every act is in the audit log.

use super::PageQuery;
use super::reports::Because;
use crate::docs::responses::Invalid;
use crate::dto::{AuditEntry, Id, List, Report};
use crate::endpoint::Endpoint;
use crate::extract::{
    Account, Authenticated, Body, Check, Field, Input, Path, Query, State, by_ref, cursor, limit, refused,
};
use crate::problem::Problem;
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_application::moderation::ListReports;
use tertulia_domain::repository::ReportFilter;
use tertulia_domain::{ChatId, MessageId, Reason, ReportId, UserId};
use utoipa::{IntoParams, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/admin/reports").get(list_reports),
        Endpoint::new("/admin/reports/{id}/resolve").post(resolve_report),
        Endpoint::new("/admin/users/{id}/suspension")
            .put(suspend)
            .delete(unsuspend),
        Endpoint::new("/admin/chats/{chat_id}/messages/{message_id}").delete(remove_message),
        Endpoint::new("/admin/audit").get(list_audit),
    ]
}

/// Which reports to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportQuery {
    /// `open`, `resolved` or `all`.
    #[param(default = "open")]
    status: Option<String>,
    /// Reports at the most.
    #[param(value_type = Option<u8>, minimum = 1, maximum = 100, default = 50)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

impl ReportQuery {
    fn parse(&self) -> Result<ListReports, Problem> {
        Ok(ListReports {
            filter: match self.status.as_deref() {
                None | Some("open") => ReportFilter::Open,
                Some("resolved") => ReportFilter::Resolved,
                Some("all") => ReportFilter::All,
                Some(_) => return Err(refused(&["status"], "must be open, resolved or all")),
            },
            after: cursor(self.cursor.as_deref())?,
            limit: limit(self.limit.as_deref())?,
        })
    }
}

/// List reports
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/admin/reports",
    tag = "admin",
    operation_id = "list_reports",
    params(ReportQuery),
    responses((status = 200, description = "A page of reports", body = List<Report>))
)]
pub(crate) async fn list_reports(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    Query(query): Query<ReportQuery>,
) -> Result<HttpResponse, Problem> {
    let page = state.services.moderation.reports(caller, query.parse()?).await?;
    Ok(respond::json(StatusCode::OK, &List::of(&page, Report::from)))
}

/// How a report is settled.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Settlement {
    /// What was done, in words.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 1000)]
    #[serde(default)]
    note: Field<String>,
}

impl Input for Settlement {
    type Output = Reason;

    fn parse(self, mut check: Check) -> Result<Reason, Problem> {
        let note = check.required("note", self.note, by_ref(Reason::new));
        check.finish(note)
    }
}

/// Settle a report
///
/// One that was settled before stays as it is.
#[utoipa::path(
    post,
    path = "/admin/reports/{id}/resolve",
    tag = "admin",
    operation_id = "resolve_report",
    params(("id" = Id, Path, description = "The report")),
    request_body = Settlement,
    responses((status = 200, description = "The report", body = Report))
)]
pub(crate) async fn resolve_report(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    Path(id): Path<ReportId>,
    Body(note): Body<Settlement>,
) -> Result<HttpResponse, Problem> {
    let report = state.services.moderation.resolve_report(caller, id, note).await?;
    Ok(respond::json(StatusCode::OK, &Report::from(&report)))
}

/// Suspend a user
///
/// Every session of the user ends at once, their API keys are revoked, and nobody can log in to the account.
#[utoipa::path(
    put,
    path = "/admin/users/{id}/suspension",
    tag = "admin",
    operation_id = "suspend_user",
    params(("id" = Id, Path, description = "The user")),
    request_body = Because,
    responses((status = 204, description = "Suspended"))
)]
pub(crate) async fn suspend(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    Path(user): Path<UserId>,
    Body(reason): Body<Because>,
) -> Result<HttpResponse, Problem> {
    state.services.moderation.suspend(caller, user, reason).await?;
    Ok(respond::no_content())
}

/// Lift a suspension
#[utoipa::path(
    delete,
    path = "/admin/users/{id}/suspension",
    tag = "admin",
    operation_id = "unsuspend_user",
    params(("id" = Id, Path, description = "The user")),
    responses((status = 204, description = "Not suspended any more"))
)]
pub(crate) async fn unsuspend(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    Path(user): Path<UserId>,
) -> Result<HttpResponse, Problem> {
    state.services.moderation.unsuspend(caller, user).await?;
    Ok(respond::no_content())
}

/// Why a message is removed.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RemovalQuery {
    /// For the log.
    #[param(value_type = String, required = true, min_length = 1, max_length = 1000)]
    reason: Option<String>,
}

/// Remove a message
///
/// It keeps its place, with nothing in it.
#[utoipa::path(
    delete,
    path = "/admin/chats/{chat_id}/messages/{message_id}",
    tag = "admin",
    operation_id = "remove_message",
    params(
        ("chat_id" = Id, Path, description = "The chat"),
        ("message_id" = Id, Path, description = "The message"),
        RemovalQuery
    ),
    responses((status = 204, description = "Removed"), Invalid)
)]
pub(crate) async fn remove_message(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    Path((chat, message)): Path<(ChatId, MessageId)>,
    Query(query): Query<RemovalQuery>,
) -> Result<HttpResponse, Problem> {
    let reason = Reason::new(query.reason.as_deref().unwrap_or_default());
    let reason = reason.map_err(|error| refused(&["reason"], error.to_string()))?;
    let moderation = &state.services.moderation;
    moderation.remove_message(caller, chat, message, reason).await?;
    Ok(respond::no_content())
}

/// Read the audit log
///
/// Newest first. Entries are only ever added.
#[utoipa::path(
    get,
    path = "/admin/audit",
    tag = "admin",
    operation_id = "list_audit",
    params(PageQuery),
    responses((status = 200, description = "A page of the log", body = List<AuditEntry>))
)]
pub(crate) async fn list_audit(
    state: State,
    Authenticated(caller, _): Authenticated<Account>,
    Query(query): Query<PageQuery>,
) -> Result<HttpResponse, Problem> {
    let (after, limit) = (query.cursor()?, query.limit()?);
    let page = state.services.moderation.audit(caller, after, limit).await?;
    Ok(respond::json(StatusCode::OK, &List::of(&page, AuditEntry::from)))
}
