//! Blocks, reports, suspensions, and the log of such acts.

mod audit;
mod blocks;
mod reports;
mod sanctions;

pub(crate) use blocks::blocked;

use crate::idempotency::once;
use crate::store::Store;
use async_trait::async_trait;
use diesel::sqlite::SqliteConnection;
use tertulia_domain::repository::{
    AuditCursor, BlockError, InsertReportError, ModerationRepository, NewReport, ReportCursor, ReportFilter,
    RepositoryError,
};
use tertulia_domain::{
    AuditEntry, ChatId, Limit, MessageId, Page, Reason, Recorded, Recording, Report, ReportId, Timestamp, User, UserId,
};
use tertulia_sql_support::TxError;

/// Blocks, reports, suspensions and the audit log, on SQLite.
#[derive(Clone)]
pub struct SqliteModerationRepository {
    store: Store,
}

impl SqliteModerationRepository {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }
}

#[async_trait]
impl ModerationRepository for SqliteModerationRepository {
    async fn block(&self, user_id: UserId, other: UserId, most: u32, at: Timestamp) -> Result<(), BlockError> {
        self.store
            .write(move |conn| blocks::block(conn, user_id.into(), other.into(), most, at))
            .await
    }

    async fn unblock(&self, user_id: UserId, other: UserId, at: Timestamp) -> Result<bool, RepositoryError> {
        self.store
            .write(move |conn| Ok(blocks::unblock(conn, user_id.into(), other.into(), at)?))
            .await
    }

    async fn list_blocked(&self, user_id: UserId) -> Result<Vec<User>, RepositoryError> {
        self.store.read(move |conn| blocks::list(conn, user_id.into())).await
    }

    async fn blocked_either_way(&self, user_id: UserId) -> Result<Vec<UserId>, RepositoryError> {
        self.store
            .read(move |conn| Ok(blocks::either_way(conn, user_id.into())?))
            .await
    }

    async fn report(&self, report: NewReport) -> Result<Option<Report>, RepositoryError> {
        self.store.write(move |conn| reports::report(conn, &report)).await
    }

    async fn report_once(
        &self,
        report: NewReport,
        recording: Recording<Report>,
    ) -> Result<Recorded<Report>, InsertReportError> {
        let insert = move |conn: &mut SqliteConnection| {
            once(conn, Some(&recording), InsertReportError::KeyReused, |conn| {
                reports::report(conn, &report)?.ok_or(TxError::Named(InsertReportError::NotFound))
            })
        };
        self.store.write(insert).await
    }

    async fn list_reports(
        &self,
        filter: ReportFilter,
        after: Option<ReportCursor>,
        limit: Limit,
    ) -> Result<Page<Report, ReportCursor>, RepositoryError> {
        self.store
            .read(move |conn| reports::list(conn, filter, after, limit))
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
        self.store
            .write(move |conn| reports::resolve(conn, id.into(), by.into(), &note, at))
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
        self.store
            .write(move |conn| Ok(sanctions::suspend(conn, user_id.into(), by.into(), &reason, at)?))
            .await
    }

    async fn unsuspend(&self, user_id: UserId, by: UserId, at: Timestamp) -> Result<bool, RepositoryError> {
        self.store
            .write(move |conn| Ok(sanctions::unsuspend(conn, user_id.into(), by.into(), at)?))
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
        let remove = sanctions::RemoveMessage {
            chat: chat_id.into(),
            message: message_id.into(),
            by: by.into(),
            reason,
            at,
        };
        self.store
            .write(move |conn| sanctions::remove_message(conn, &remove))
            .await
    }

    async fn list_audit(
        &self,
        after: Option<AuditCursor>,
        limit: Limit,
    ) -> Result<Page<AuditEntry, AuditCursor>, RepositoryError> {
        self.store.read(move |conn| audit::list(conn, after, limit)).await
    }
}
