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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANA, BEN, CALLER, NOW, SERVICE_ADMIN, World, assert_matches, passes_on, repository_errors};
    use mockall::predicate::eq;
    use tertulia_domain::AuditAction;

    #[tokio::test]
    async fn admins_read_the_log() {
        let page = Page {
            items: vec![AuditEntry {
                number: 7,
                at: NOW,
                actor_id: ANA,
                action: AuditAction::Block,
                user_id: BEN,
                message_id: None,
                reason: None,
            }],
            next: Some(AuditCursor(7)),
        };
        let (mut world, given) = (World::default(), page.clone());
        let asked = world.moderation.expect_list_audit();
        asked.with(eq(Some(AuditCursor(8))), eq(Limit::DEFAULT)).once();
        asked.return_once(|_, _| Ok(given));
        let services = world.services();
        let read = services
            .moderation
            .audit(SERVICE_ADMIN, Some(AuditCursor(8)), Limit::DEFAULT)
            .await;
        assert_eq!(read.unwrap(), page);
    }

    #[tokio::test]
    async fn nobody_else_does() {
        let mut world = World::default();
        world.moderation.expect_list_audit().never();
        let refused = world.services().moderation.audit(CALLER, None, Limit::DEFAULT).await;
        assert_matches!(refused, Err(AdminError::Forbidden));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.moderation.expect_list_audit().return_once(|_, _| Err(cause));
            world
                .services()
                .moderation
                .audit(SERVICE_ADMIN, None, Limit::DEFAULT)
                .await
        })
        .await;
    }
}
