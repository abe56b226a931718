//! Blocks, reports, suspensions, and the log of such acts.

mod audit;
mod blocks;
mod reports;
mod sanctions;

use crate::client::Client;
use crate::idempotency::create_once;
use async_trait::async_trait;
use diesel::prelude::*;
use tertulia_domain::repository::{
    AuditCursor, BlockError, InsertReportError, ModerationRepository, NewReport, ReportCursor, ReportFilter,
    RepositoryError,
};
use tertulia_domain::{
    AuditEntry, ChatId, Limit, MessageId, Page, Reason, Recorded, Recording, Report, ReportId, Timestamp, User, UserId,
};
use tertulia_sql_support::TxError;

/// What keeps the peace.
pub struct PgModerationRepository {
    client: Client,
}

impl PgModerationRepository {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }
}

#[async_trait]
impl ModerationRepository for PgModerationRepository {
    async fn block(&self, user_id: UserId, other: UserId, most: u32, at: Timestamp) -> Result<(), BlockError> {
        self.client
            .run(move |connection| {
                connection.transaction(|connection| blocks::block(connection, user_id, other, most, at))
            })
            .await
    }

    async fn unblock(&self, user_id: UserId, other: UserId, at: Timestamp) -> Result<bool, RepositoryError> {
        self.client
            .run(move |connection| {
                connection.transaction(|connection| Ok(blocks::unblock(connection, user_id, other, at)?))
            })
            .await
    }

    async fn list_blocked(&self, user_id: UserId) -> Result<Vec<User>, RepositoryError> {
        self.client
            .run(move |connection| blocks::list(connection, user_id))
            .await
    }

    async fn blocked_either_way(&self, user_id: UserId) -> Result<Vec<UserId>, RepositoryError> {
        self.client
            .run(move |connection| Ok(blocks::either_way(connection, user_id)?))
            .await
    }

    async fn report(&self, report: NewReport) -> Result<Option<Report>, RepositoryError> {
        self.client
            .run(move |connection| connection.transaction(|connection| reports::report(connection, &report)))
            .await
    }

    async fn report_once(
        &self,
        report: NewReport,
        recording: Recording<Report>,
    ) -> Result<Recorded<Report>, InsertReportError> {
        self.client
            .run(move |connection| {
                create_once(connection, Some(&recording), |connection| {
                    reports::report(connection, &report)?.ok_or(TxError::Named(InsertReportError::NotFound))
                })
            })
            .await
    }

    async fn list_reports(
        &self,
        filter: ReportFilter,
        after: Option<ReportCursor>,
        limit: Limit,
    ) -> Result<Page<Report, ReportCursor>, RepositoryError> {
        self.client
            .run(move |connection| reports::page(connection, filter, after, limit))
            .await
    }

    async fn resolve_report(
        &self,
        id: ReportId,
        by: UserId,
        note: &Reason,
        at: Timestamp,
    ) -> Result<Option<Report>, RepositoryError> {
        let note = note.clone();
        self.client
            .run(move |connection| connection.transaction(|connection| reports::resolve(connection, id, by, &note, at)))
            .await
    }

    async fn suspend(
        &self,
        user_id: UserId,
        by: UserId,
        reason: &Reason,
        at: Timestamp,
    ) -> Result<bool, RepositoryError> {
        let reason = reason.clone();
        self.client
            .run(move |connection| {
                connection
                    .transaction(|connection| Ok(sanctions::set_suspended(connection, user_id, by, Some(&reason), at)?))
            })
            .await
    }

    async fn unsuspend(&self, user_id: UserId, by: UserId, at: Timestamp) -> Result<bool, RepositoryError> {
        self.client
            .run(move |connection| {
                connection.transaction(|connection| Ok(sanctions::set_suspended(connection, user_id, by, None, at)?))
            })
            .await
    }

    async fn remove_message(
        &self,
        chat_id: ChatId,
        message_id: MessageId,
        by: UserId,
        reason: Option<Reason>,
        at: Timestamp,
    ) -> Result<bool, RepositoryError> {
        self.client
            .run(move |connection| {
                connection.transaction(|connection| {
                    let reason = reason.as_ref();
                    Ok(sanctions::remove_message(
                        connection, chat_id, message_id, by, reason, at,
                    )?)
                })
            })
            .await
    }

    async fn list_audit(
        &self,
        after: Option<AuditCursor>,
        limit: Limit,
    ) -> Result<Page<AuditEntry, AuditCursor>, RepositoryError> {
        self.client
            .run(move |connection| audit::page(connection, after, limit))
            .await
    }
}
