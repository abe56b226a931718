use super::AccountService;
use crate::Failure;
use tertulia_domain::repository::{UpdateUserError, UserChanges};
use tertulia_domain::{Caller, Email, User};
use thiserror::Error;

/// Why a user stays as they are.
#[derive(Debug, Error)]
pub enum UpdateProfileError {
    /// Somebody else has that username.
    #[error("the username is taken")]
    UsernameTaken,
    /// Somebody else has that e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// Neither username nor e-mail address would be left to log in with.
    #[error("a username or an e-mail address is needed")]
    NoLogin,
    /// The account is gone.
    #[error("no such account")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// A user as they are now, and what is still to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatedProfile {
    /// The user.
    pub user: User,
    /// An address that becomes the user's when they use the token that was mailed there.
    pub pending_email: Option<Email>,
}

impl AccountService {
    /// Changes the caller's names, e-mail address or profile. Their role is not theirs to change: it is ignored. Where
    /// addresses are verified, a new one is only mailed a token for now.
    pub async fn update_profile(
        &self,
        caller: Caller,
        changes: UserChanges,
    ) -> Result<UpdatedProfile, UpdateProfileError> {
        let mut changes = UserChanges { role: None, ..changes };
        let mut pending_email = None;
        if self.policy.verify_email
            && let Some(Some(email)) = &changes.email
        {
            let user = self.users.find(caller.user_id).await.map_err(Failure::from)?;
            let present = user.ok_or(UpdateProfileError::NotFound)?.email;
            // Another spelling of the same address needs no proof.
            if present.is_none_or(|present| present.key() != email.key()) {
                pending_email = changes.email.take().flatten();
            }
        }
        let user = self
            .users
            .update(caller.user_id, changes, self.clock.now())
            .await
            .map_err(|error| match error {
                UpdateUserError::NotFound => UpdateProfileError::NotFound,
                UpdateUserError::UsernameTaken => UpdateProfileError::UsernameTaken,
                UpdateUserError::EmailTaken => UpdateProfileError::EmailTaken,
                UpdateUserError::NoLogin => UpdateProfileError::NoLogin,
                UpdateUserError::Repository(error) => UpdateProfileError::Failed(error.into()),
            })?;
        if let Some(email) = &pending_email {
            self.send_verification(caller, email).await?;
        }
        Ok(UpdatedProfile { user, pending_email })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::secret_token::SecretToken;
    use crate::testing::{
        ANA, CALLER, NOW, World, assert_matches, email, passes_on, repository_errors, secret, user, username,
    };
    use mockall::predicate::eq;
    use tertulia_domain::{Profile, Role};

    #[tokio::test]
    async fn changes_everything_but_the_role() {
        let allowed = UserChanges {
            username: Some(Some(username("anna"))),
            email: Some(None),
            display_name: Some(None),
            profile: Some(Profile::default()),
            role: None,
        };
        for role in [None, Some(Role::User), Some(Role::Admin)] {
            let mut world = World::default();
            let asked = world.users.expect_update();
            asked.with(eq(ANA), eq(allowed.clone()), eq(NOW)).once();
            asked.return_once(|_, _, _| Ok(user(ANA)));
            let wanted = UserChanges {
                role,
                ..allowed.clone()
            };
            let updated = world.services().accounts.update_profile(CALLER, wanted).await;
            let expected = UpdatedProfile {
                user: user(ANA),
                pending_email: None,
            };
            assert_eq!(updated.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn tells_why_not() {
        let refused = async |error: UpdateUserError| {
            let mut world = World::default();
            world.users.expect_update().return_once(|_, _, _| Err(error));
            world
                .services()
                .accounts
                .update_profile(CALLER, UserChanges::default())
                .await
        };
        let error = refused(UpdateUserError::NotFound).await;
        assert_matches!(error, Err(UpdateProfileError::NotFound));
        let error = refused(UpdateUserError::UsernameTaken).await;
        assert_matches!(error, Err(UpdateProfileError::UsernameTaken));
        let error = refused(UpdateUserError::EmailTaken).await;
        assert_matches!(error, Err(UpdateProfileError::EmailTaken));
        let error = refused(UpdateUserError::NoLogin).await;
        assert_matches!(error, Err(UpdateProfileError::NoLogin));
        passes_on(repository_errors, async |cause| refused(cause.into()).await).await;
    }

    fn changing_email(address: Option<&str>) -> UserChanges {
        UserChanges {
            email: Some(address.map(email)),
            ..UserChanges::default()
        }
    }

    /// A world in which addresses are verified, Ana has this one, and this change is made.
    fn verifying(present: Option<&str>, made: UserChanges) -> World {
        let mut world = World::default();
        world.policy.accounts.verify_email = true;
        let ana = User {
            email: present.map(email),
            ..user(ANA)
        };
        world
            .users
            .expect_find()
            .with(eq(ANA))
            .returning(move |_| Ok(Some(ana.clone())));
        let asked = world.users.expect_update().with(eq(ANA), eq(made), eq(NOW)).once();
        asked.returning(|_, _, _| Ok(user(ANA)));
        world
    }

    #[tokio::test]
    async fn a_new_address_waits_until_it_is_verified() {
        for present in [None, Some("ana@example.org")] {
            let named = UserChanges {
                display_name: Some(None),
                ..UserChanges::default()
            };
            let mut world = verifying(present, named.clone());
            let asked = world.account_tokens.expect_issue_verification().once();
            asked.return_once(|user, address, token| {
                assert_eq!((user, address), (ANA, &email("new@example.org")));
                assert_eq!(token.hash, SecretToken::new(secret(1)).hash());
                Ok(true)
            });
            let wanted = UserChanges {
                email: Some(Some(email("new@example.org"))),
                ..named
            };
            let updated = world.services().accounts.update_profile(CALLER, wanted).await.unwrap();
            assert_eq!(updated.pending_email, Some(email("new@example.org")));
        }
    }

    #[tokio::test]
    async fn what_needs_no_proof_is_changed_at_once() {
        for (present, wanted) in [
            (Some("ana@example.org"), changing_email(Some("ANA@example.org"))),
            (Some("ana@example.org"), changing_email(None)),
            (None, UserChanges::default()),
        ] {
            let mut world = verifying(present, wanted.clone());
            world.account_tokens.expect_issue_verification().never();
            let updated = world.services().accounts.update_profile(CALLER, wanted).await;
            assert_eq!(updated.unwrap().pending_email, None);
        }
        // Nor does anything where addresses are not verified.
        let (mut world, wanted) = (World::default(), changing_email(Some("new@example.org")));
        let asked = world
            .users
            .expect_update()
            .with(eq(ANA), eq(wanted.clone()), eq(NOW))
            .once();
        asked.returning(|_, _, _| Ok(user(ANA)));
        world.users.expect_find().never();
        world.account_tokens.expect_issue_verification().never();
        let updated = world.services().accounts.update_profile(CALLER, wanted).await;
        assert_eq!(updated.unwrap().pending_email, None);
    }

    #[tokio::test]
    async fn no_mail_goes_out_for_a_change_that_was_refused() {
        let mut world = World::default();
        world.policy.accounts.verify_email = true;
        world.users.expect_find().returning(|_| Ok(Some(user(ANA))));
        let asked = world.users.expect_update().once();
        asked.returning(|_, _, _| Err(UpdateUserError::UsernameTaken));
        world.account_tokens.expect_issue_verification().never();
        let wanted = changing_email(Some("new@example.org"));
        let refused = world.services().accounts.update_profile(CALLER, wanted).await;
        assert_matches!(refused, Err(UpdateProfileError::UsernameTaken));
    }

    #[tokio::test]
    async fn passes_failures_of_the_verification_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.policy.accounts.verify_email = true;
            world.users.expect_find().return_once(|_| Err(cause));
            let wanted = changing_email(Some("new@example.org"));
            world.services().accounts.update_profile(CALLER, wanted).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = verifying(None, UserChanges::default());
            let asked = world.account_tokens.expect_issue_verification();
            asked.return_once(|_, _, _| Err(cause));
            let wanted = changing_email(Some("new@example.org"));
            world.services().accounts.update_profile(CALLER, wanted).await
        })
        .await;
    }
}
