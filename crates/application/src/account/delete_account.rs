use super::AccountService;
use crate::Failure;
use tertulia_domain::Caller;
use tertulia_domain::repository::Erased;
use thiserror::Error;

/// Why an account was not deleted.
#[derive(Debug, Error)]
pub enum DeleteAccountError {
    /// It is gone already.
    #[error("no such account")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl AccountService {
    /// Deletes the caller's account. Their messages stay, under a user without a name, unless they are to be erased too.
    pub async fn delete_account(&self, caller: Caller, erase: bool) -> Result<Erased, DeleteAccountError> {
        let chats = self.hub.chats_of(caller.user_id).await?;
        let erased = self
            .users
            .delete(caller.user_id, erase, self.clock.now())
            .await
            .map_err(Failure::from)?;
        let erased = erased.ok_or(DeleteAccountError::NotFound)?;
        self.hub.sessions_ended(caller.user_id, None);
        for chat in chats {
            self.hub.changed(chat, Vec::new());
        }
        Ok(erased)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANA, CALLER, NOW, World, assert_matches, passes_on, repository_errors};
    use mockall::predicate::eq;

    fn deleting(erase: bool, outcome: Option<Erased>) -> World {
        let mut world = World::default();
        world
            .events
            .expect_subscriptions()
            .with(eq(ANA))
            .return_once(|_| Ok(vec![]));
        let asked = world.users.expect_delete().with(eq(ANA), eq(erase), eq(NOW)).once();
        asked.return_once(move |_, _, _| Ok(outcome));
        world
    }

    #[tokio::test]
    async fn tells_what_went() {
        let erased = Erased {
            sessions: 1,
            groups_left: 2,
            groups_deleted: 3,
            messages: 4,
            files: 5,
        };
        for erase in [false, true] {
            let services = deleting(erase, Some(erased)).services();
            assert_eq!(services.accounts.delete_account(CALLER, erase).await.unwrap(), erased);
        }
    }

    #[tokio::test]
    async fn what_is_gone_can_not_go() {
        let gone = deleting(false, None).services();
        assert_matches!(
            gone.accounts.delete_account(CALLER, false).await,
            Err(DeleteAccountError::NotFound)
        );
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.events.expect_subscriptions().return_once(|_| Ok(vec![]));
            world.users.expect_delete().return_once(|_, _, _| Err(cause));
            world.services().accounts.delete_account(CALLER, true).await
        })
        .await;
    }
}
