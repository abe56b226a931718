use super::{AdminError, ModerationService, admins_only};
use crate::Failure;
use tertulia_domain::repository::AuditCursor;
use tertulia_domain::{AuditEntry, Caller, Limit, Page};

impl ModerationService {
    /// A page of the log, newest first.
    pub async fn audit(
        &self,
        caller: Caller,
        after: Option<AuditCursor>,
        limit: Limit,
    ) -> Result<Page<AuditEntry, AuditCursor>, AdminError> {
        admins_only(caller)?;
        Ok(self.moderation.list_audit(after, limit).await.map_err(Failure::from)?)
    }
}
