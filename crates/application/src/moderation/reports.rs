use super::{AdminError, ModerationService, admins_only};
use crate::Failure;
use tertulia_domain::permission::{Action, Standing, decide};
use tertulia_domain::repository::{NewReport, ReportCursor, ReportFilter};
use tertulia_domain::{Caller, ChatId, Limit, MessageId, Page, Reason, Report, ReportId};
use thiserror::Error;

/// Somebody finds a message unacceptable.
#[derive(Debug, Clone)]
pub struct ReportMessage {
    /// The chat.
    pub chat_id: ChatId,
    /// The message.
    pub message_id: MessageId,
    /// Why.
    pub reason: Reason,
}

/// Why a message was not reported.
#[derive(Debug, Error)]
pub enum ReportMessageError {
    /// No such message, or in no chat that the caller may know of.
    #[error("no such message")]
    NotFound,
    /// It is their own.
    #[error("nobody can report their own message")]
    Own,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Which reports to list.
#[derive(Debug, Clone, Copy)]
pub struct ListReports {
    /// Open ones, settled ones, or all.
    pub filter: ReportFilter,
    /// Where the page begins.
    pub after: Option<ReportCursor>,
    /// How many.
    pub limit: Limit,
}

/// Why a report was not settled.
#[derive(Debug, Error)]
pub enum ResolveReportError {
    /// The caller is no service admin.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// There is none of that id.
    #[error("no such report")]
    NotFound,
}

impl ModerationService {
    /// Reports a message to the admins, as it is now.
    pub async fn report(&self, caller: Caller, command: ReportMessage) -> Result<Report, ReportMessageError> {
        let ReportMessage {
            chat_id,
            message_id,
            reason,
        } = command;
        let found = self
            .messages
            .find(chat_id, message_id, caller.user_id)
            .await
            .map_err(Failure::from)?;
        let context = found.ok_or(ReportMessageError::NotFound)?;
        let standing = Standing {
            role: caller.role,
            member: context.viewer,
            group: context.group,
        };
        decide(standing, Action::View).map_err(|_| ReportMessageError::NotFound)?;
        if context.message.sender.id == caller.user_id {
            return Err(ReportMessageError::Own);
        }
        let report = NewReport {
            id: ReportId::from_uuid(self.ids.next()),
            reporter_id: caller.user_id,
            chat_id,
            message_id,
            reason,
            at: self.clock.now(),
        };
        self.moderation
            .report(report)
            .await
            .map_err(Failure::from)?
            .ok_or(ReportMessageError::NotFound)
    }

    /// A page of reports, newest first.
    pub async fn reports(&self, caller: Caller, query: ListReports) -> Result<Page<Report, ReportCursor>, AdminError> {
        admins_only(caller)?;
        Ok(self
            .moderation
            .list_reports(query.filter, query.after, query.limit)
            .await
            .map_err(Failure::from)?)
    }

    /// Settles a report. One that was settled before stays as it is.
    pub async fn resolve_report(
        &self,
        caller: Caller,
        id: ReportId,
        note: Reason,
    ) -> Result<Report, ResolveReportError> {
        admins_only(caller)?;
        let report = self
            .moderation
            .resolve_report(id, caller.user_id, &note, self.clock.now())
            .await;
        report
            .map_err(|error| AdminError::Failed(error.into()))?
            .ok_or(ResolveReportError::NotFound)
    }
}
