use super::{AccountService, FindUserError};
use crate::Failure;
use tertulia_domain::{Caller, Password};

impl AccountService {
    /// Gives the caller another password, without asking for the one before, and ends their other sessions: for clients
    /// that never asked for it.
    pub async fn replace_password(&self, caller: Caller, new: Password) -> Result<(), FindUserError> {
        let hash = self.hasher.hash(new).await.map_err(Failure::from)?;
        let keep = Some(caller.session_id);
        let replaced = self
            .users
            .set_password(caller.user_id, &hash, keep, self.clock.now())
            .await
            .map_err(Failure::from)?;
        if !replaced {
            return Err(FindUserError::NotFound);
        }
        self.hub.sessions_ended(caller.user_id, None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, CALLER, NOW, PHONE, World, assert_matches, hash, hash_errors, passes_on, password, repository_errors,
    };
    use mockall::predicate::eq;

    async fn replace(world: World) -> Result<(), FindUserError> {
        let accounts = world.services().accounts;
        accounts.replace_password(CALLER, password("new password")).await
    }

    #[tokio::test]
    async fn stores_the_new_hash_and_keeps_this_session_alone() {
        let storing = async |stored| {
            let mut world = World::default();
            world.users.expect_find_password().never();
            world
                .hashes("new password")
                .users
                .expect_set_password()
                .with(eq(ANA), eq(hash("new password")), eq(Some(PHONE)), eq(NOW))
                .once()
                .return_once(move |_, _, _, _| Ok(stored));
            replace(world).await
        };
        assert_matches!(storing(true).await, Ok(()));
        assert_matches!(storing(false).await, Err(FindUserError::NotFound));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(hash_errors, async |cause| {
            let mut world = World::default();
            world.hasher.expect_hash().return_once(|_| Err(cause));
            world.users.expect_set_password().never();
            replace(world).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.hashes("new password");
            world.users.expect_set_password().return_once(|_, _, _, _| Err(cause));
            replace(world).await
        })
        .await;
    }
}
