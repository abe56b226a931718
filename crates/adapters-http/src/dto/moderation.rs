use super::{Id, Time};
use serde::Serialize;
use tertulia_domain::{self as domain, Reason};
use utoipa::ToSchema;

/// A message that somebody finds unacceptable.
#[derive(Serialize, ToSchema)]
pub(crate) struct Report<'a> {
    id: Id,
    reporter_id: Id,
    chat_id: Id,
    message_id: Id,
    /// The message's place in the chat.
    seq: i64,
    /// Who sent the message.
    sender_id: Id,
    /// What the message said when it was reported; null for one without text.
    #[schema(required = true)]
    body: Option<&'a str>,
    reason: &'a str,
    created_at: Time,
    /// What became of it; null while it is open.
    #[schema(required = true)]
    resolution: Option<Resolution<'a>>,
}

/// How a report was settled.
#[derive(Serialize, ToSchema)]
struct Resolution<'a> {
    /// The admin.
    by: Id,
    at: Time,
    /// What was done, in words.
    note: &'a str,
}

/// One act of moderation.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditEntry<'a> {
    /// Ascending in order of the acts.
    number: i64,
    at: Time,
    /// Who acted.
    actor_id: Id,
    #[schema(examples("user.suspend"))]
    action: &'static str,
    /// Whom it concerns.
    user_id: Id,
    #[schema(required = true)]
    message_id: Option<Id>,
    #[schema(required = true)]
    reason: Option<&'a str>,
}

impl<'a> From<&'a domain::Report> for Report<'a> {
    fn from(report: &'a domain::Report) -> Self {
        Self {
            id: report.id.into(),
            reporter_id: report.reporter_id.into(),
            chat_id: report.chat_id.into(),
            message_id: report.message_id.into(),
            seq: report.seq.get(),
            sender_id: report.sender_id.into(),
            body: report.body.as_deref(),
            reason: report.reason.as_str(),
            created_at: report.created_at.into(),
            resolution: report.resolution.as_ref().map(Resolution::from),
        }
    }
}

impl<'a> From<&'a domain::Resolution> for Resolution<'a> {
    fn from(resolution: &'a domain::Resolution) -> Self {
        Self {
            by: resolution.by.into(),
            at: resolution.at.into(),
            note: resolution.note.as_str(),
        }
    }
}

impl<'a> From<&'a domain::AuditEntry> for AuditEntry<'a> {
    fn from(entry: &'a domain::AuditEntry) -> Self {
        Self {
            number: entry.number,
            at: entry.at.into(),
            actor_id: entry.actor_id.into(),
            action: entry.action.as_str(),
            user_id: entry.user_id.into(),
            message_id: entry.message_id.map(Id::from),
            reason: entry.reason.as_ref().map(Reason::as_str),
        }
    }
}
