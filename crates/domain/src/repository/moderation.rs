use super::RepositoryError;
use crate::idempotency::{Recorded, Recording};
use crate::ids::{ChatId, MessageId, ReportId, UserId};
use crate::moderation::{AuditEntry, Reason, Report};
use crate::page::{Limit, Page};
use crate::time::Timestamp;
use crate::user::User;
use async_trait::async_trait;
use thiserror::Error;

/// A message that somebody reports.
#[derive(Debug, Clone)]
pub struct NewReport {
    /// The identifier, fresh.
    pub id: ReportId,
    /// Who reports.
    pub reporter_id: UserId,
    /// The message's chat.
    pub chat_id: ChatId,
    /// The message.
    pub message_id: MessageId,
    /// Why.
    pub reason: Reason,
    /// When.
    pub at: Timestamp,
}

/// Which reports to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFilter {
    /// Those that nobody has settled.
    Open,
    /// Those that somebody has.
    Resolved,
    /// All.
    All,
}

/// After that report; reports are listed newest first, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportCursor(pub ReportId);

/// After the entry of that number; the log is listed newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditCursor(pub i64);

/// Why somebody could not be blocked.
#[derive(Debug, Error)]
pub enum BlockError {
    /// Nobody has this id, or the account is deleted.
    #[error("no such user")]
    UserNotFound,
    /// The user blocks as many as one may.
    #[error("too many blocked users")]
    TooMany,
    /// See there.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// Why a message was not reported, once and for all.
#[derive(Debug, Error)]
pub enum InsertReportError {
    /// There is no such message in that chat.
    #[error("no such message")]
    NotFound,
    /// The idempotency key stands for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// See there.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// Blocks, reports, suspensions and the audit log. Every act is logged in its own transaction; the database refuses to
/// change or remove what is logged.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ModerationRepository: Send + Sync {
    /// Blocks a user; to do it again changes nothing and logs nothing.
    async fn block(&self, user_id: UserId, other: UserId, most: u32, at: Timestamp) -> Result<(), BlockError>;

    /// Unblocks a user. False when they were not blocked.
    async fn unblock(&self, user_id: UserId, other: UserId, at: Timestamp) -> Result<bool, RepositoryError>;

    /// Whom the user blocks, latest first.
    async fn list_blocked(&self, user_id: UserId) -> Result<Vec<User>, RepositoryError>;

    /// Everybody between whom and the user there is a block, whoever made it.
    async fn blocked_either_way(&self, user_id: UserId) -> Result<Vec<UserId>, RepositoryError>;

    /// Stores a report with what the message says now. `None` when there is no such message in that chat. To report a
    /// message again gives the first report while that is open.
    async fn report(&self, report: NewReport) -> Result<Option<Report>, RepositoryError>;

    /// Stores a report as [`report`](Self::report) does, once for each claim.
    async fn report_once(
        &self,
        report: NewReport,
        recording: Recording<Report>,
    ) -> Result<Recorded<Report>, InsertReportError>;

    /// A page of reports.
    async fn list_reports(
        &self,
        filter: ReportFilter,
        after: Option<ReportCursor>,
        limit: Limit,
    ) -> Result<Page<Report, ReportCursor>, RepositoryError>;

    /// Settles a report. `None` when there is none of that id; one that was settled before stays as it is.
    async fn resolve_report(
        &self,
        id: ReportId,
        by: UserId,
        note: &Reason,
        at: Timestamp,
    ) -> Result<Option<Report>, RepositoryError>;

    /// Suspends a user: every session and key ends, and nobody can log in to the account. False when there is no such
    /// user; to do it again changes nothing and logs nothing.
    async fn suspend(
        &self,
        user_id: UserId,
        by: UserId,
        reason: &Reason,
        at: Timestamp,
    ) -> Result<bool, RepositoryError>;

    /// Lifts a suspension. False when there is no such user.
    async fn unsuspend(&self, user_id: UserId, by: UserId, at: Timestamp) -> Result<bool, RepositoryError>;

    /// Deletes a message as [`MessageRepository::delete`](super::MessageRepository::delete) does, for an admin who is not
    /// its sender. False when there is no such message in that chat.
    async fn remove_message(
        &self,
        chat_id: ChatId,
        message_id: MessageId,
        by: UserId,
        reason: Option<Reason>,
        at: Timestamp,
    ) -> Result<bool, RepositoryError>;

    /// A page of the log.
    async fn list_audit(
        &self,
        after: Option<AuditCursor>,
        limit: Limit,
    ) -> Result<Page<AuditEntry, AuditCursor>, RepositoryError>;
}
