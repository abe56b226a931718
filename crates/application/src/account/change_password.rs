use super::AccountService;
use crate::Failure;
use tertulia_domain::{Caller, Password};
use thiserror::Error;

/// Somebody wants another password.
#[derive(Debug, Clone)]
pub struct ChangePassword {
    /// What proves that it is them; `None` for a text that can be nobody's password.
    pub current: Option<Password>,
    /// The password from now on.
    pub new: Password,
}

/// Why the password stays.
#[derive(Debug, Error)]
pub enum ChangePasswordError {
    /// The current password is another one.
    #[error("wrong password")]
    WrongPassword,
    /// The account is gone.
    #[error("no such account")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl AccountService {
    /// Changes the caller's password and ends their other sessions.
    pub async fn change_password(&self, caller: Caller, command: ChangePassword) -> Result<(), ChangePasswordError> {
        let Some(current) = command.current else {
            return Err(ChangePasswordError::WrongPassword);
        };
        let hash = self.users.find_password(caller.user_id).await.map_err(Failure::from)?;
        let hash = hash.ok_or(ChangePasswordError::NotFound)?;
        if !self.hasher.verify(current, Some(hash)).await.map_err(Failure::from)? {
            return Err(ChangePasswordError::WrongPassword);
        }
        let new = self.hasher.hash(command.new).await.map_err(Failure::from)?;
        let keep = Some(caller.session_id);
        let changed = self
            .users
            .set_password(caller.user_id, &new, keep, self.clock.now())
            .await;
        if changed.map_err(Failure::from)? {
            self.hub.sessions_ended(caller.user_id, None);
            Ok(())
        } else {
            Err(ChangePasswordError::NotFound)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, CALLER, NOW, PHONE, World, assert_matches, hash, hash_errors, passes_on, password, repository_errors,
    };
    use mockall::predicate::eq;

    fn from_old_to_new() -> ChangePassword {
        ChangePassword {
            current: Some(password("old password")),
            new: password("new password"),
        }
    }

    fn with_old_password() -> World {
        let mut world = World::default();
        let asked = world.users.expect_find_password().with(eq(ANA)).once();
        asked.return_once(|_| Ok(Some(hash("old password"))));
        world
    }

    /// The old password is found and checked.
    fn verified(genuine: bool) -> World {
        let mut world = with_old_password();
        world
            .hasher
            .expect_verify()
            .with(eq(password("old password")), eq(Some(hash("old password"))))
            .once()
            .return_once(move |_, _| Ok(genuine));
        world
    }

    async fn change(world: World) -> Result<(), ChangePasswordError> {
        let accounts = world.services().accounts;
        accounts.change_password(CALLER, from_old_to_new()).await
    }

    #[tokio::test]
    async fn stores_the_new_hash_and_keeps_this_session_alone() {
        let storing = async |stored| {
            let mut world = verified(true);
            world
                .hashes("new password")
                .users
                .expect_set_password()
                .with(eq(ANA), eq(hash("new password")), eq(Some(PHONE)), eq(NOW))
                .once()
                .return_once(move |_, _, _, _| Ok(stored));
            change(world).await
        };
        assert_matches!(storing(true).await, Ok(()));
        assert_matches!(storing(false).await, Err(ChangePasswordError::NotFound));
    }

    #[tokio::test]
    async fn a_wrong_password_changes_nothing() {
        let mut world = verified(false);
        world.hasher.expect_hash().never();
        world.users.expect_set_password().never();
        assert_matches!(change(world).await, Err(ChangePasswordError::WrongPassword));
    }

    #[tokio::test]
    async fn an_impossible_password_is_wrong_without_a_look() {
        let mut world = World::default();
        world.users.expect_find_password().never();
        world.hasher.expect_verify().never();
        let command = ChangePassword {
            current: None,
            ..from_old_to_new()
        };
        let changed = world.services().accounts.change_password(CALLER, command).await;
        assert_matches!(changed, Err(ChangePasswordError::WrongPassword));
    }

    #[tokio::test]
    async fn a_deleted_account_has_no_password() {
        let mut world = World::default();
        world.users.expect_find_password().once().return_once(|_| Ok(None));
        world.hasher.expect_verify().never();
        assert_matches!(change(world).await, Err(ChangePasswordError::NotFound));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.users.expect_find_password().return_once(|_| Err(cause));
            change(world).await
        })
        .await;
        passes_on(hash_errors, async |cause| {
            let mut world = with_old_password();
            world.hasher.expect_verify().return_once(|_, _| Err(cause));
            change(world).await
        })
        .await;
        passes_on(hash_errors, async |cause| {
            let mut world = verified(true);
            world.hasher.expect_hash().return_once(|_| Err(cause));
            change(world).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = verified(true);
            world.hashes("new password");
            world.users.expect_set_password().return_once(|_, _, _, _| Err(cause));
            change(world).await
        })
        .await;
    }
}
