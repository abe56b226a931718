use super::{AccountService, Client, Grant, OpenAccount};
use crate::Failure;
use tertulia_domain::repository::InsertUserError;
use tertulia_domain::{DisplayName, Email, Password, Profile, Username};
use thiserror::Error;

/// Somebody wants an account.
#[derive(Debug, Clone)]
pub struct Register {
    /// Username or e-mail address is needed.
    pub username: Option<Username>,
    /// Username or e-mail address is needed.
    pub email: Option<Email>,
    /// Free text.
    pub display_name: Option<DisplayName>,
    /// Further facts.
    pub profile: Profile,
    /// The password.
    pub password: Password,
    /// Where from.
    pub client: Client,
}

/// Why there is no account.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// Neither a username nor an e-mail address.
    #[error("a username or an e-mail address is needed")]
    NoLogin,
    /// Somebody has that username.
    #[error("the username is taken")]
    UsernameTaken,
    /// Somebody has that e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<InsertUserError> for RegisterError {
    fn from(error: InsertUserError) -> Self {
        match error {
            InsertUserError::UsernameTaken => Self::UsernameTaken,
            InsertUserError::EmailTaken => Self::EmailTaken,
            InsertUserError::Repository(error) => Self::Failed(error.into()),
        }
    }
}

impl AccountService {
    /// Makes an account and logs in to it.
    pub async fn register(&self, command: Register) -> Result<Grant, RegisterError> {
        let opened = self
            .open_account(OpenAccount {
                username: command.username,
                email: command.email,
                display_name: command.display_name,
                profile: command.profile,
                password: Some(command.password),
            })
            .await?;
        let grant = self.open_session(opened.user, command.client).await?;
        grant.ok_or_else(|| Failure::Internal("the account vanished while it was made".into()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::secret_token::SecretToken;
    use crate::testing::{
        ANA, NOW, World, assert_matches, email, explain, fresh, hash, hash_errors, passes_on, repository_errors,
        secret, user, username,
    };
    use std::time::Duration;
    use tertulia_domain::repository::NewUser;
    use tertulia_domain::{ProfileValue, Role};

    fn command() -> Register {
        Register {
            username: Some(username("ana")),
            email: Some(email("ana@example.org")),
            display_name: Some(DisplayName::new("Ana").unwrap()),
            profile: Profile::new([("city".into(), ProfileValue::Text("Zaragoza".into()))]).unwrap(),
            password: crate::testing::password("12345678"),
            client: Client::default(),
        }
    }

    /// A world in which the user is stored.
    fn inserting() -> World {
        let mut world = World::default();
        world.hashes("12345678");
        world.users.expect_insert().once().return_once(|_| Ok(user(ANA)));
        world
    }

    #[tokio::test]
    async fn stores_an_ordinary_user_and_opens_their_session() {
        let mut world = World::default();
        world.hashes("12345678").opens_session();
        world.users.expect_insert().once().returning(|new| {
            let NewUser {
                id,
                username,
                email,
                display_name,
                profile,
                role,
                password,
                mail,
                verification,
                at,
            } = new;
            assert_eq!(*id.as_uuid(), fresh(1));
            assert_eq!((username, email), (command().username, command().email));
            assert_eq!((display_name, profile), (command().display_name, command().profile));
            assert_eq!(role, Role::User);
            assert_eq!((password, at), (hash("12345678"), NOW));
            assert_eq!((mail, verification), (None, None));
            Ok(user(ANA))
        });
        let mut command = command();
        command.client.ip = Some([10, 0, 0, 1].into());
        let grant = world.services().accounts.register(command.clone()).await.unwrap();
        assert_eq!((grant.user, grant.session.user_id), (user(ANA), ANA));
        assert_eq!(grant.session.ip, command.client.ip);
    }

    #[tokio::test]
    async fn either_name_is_enough() {
        let by_name = Register {
            email: None,
            ..command()
        };
        let by_email = Register {
            username: None,
            ..command()
        };
        for command in [by_name, by_email] {
            let mut world = inserting();
            world.opens_session();
            assert!(world.services().accounts.register(command).await.is_ok());
        }
    }

    #[tokio::test]
    async fn without_a_name_nothing_is_hashed() {
        let mut world = World::default();
        world.hasher.expect_hash().never();
        world.users.expect_insert().never();
        let nameless = Register {
            username: None,
            email: None,
            ..command()
        };
        assert_matches!(
            world.services().accounts.register(nameless).await,
            Err(RegisterError::NoLogin)
        );
    }

    #[tokio::test]
    async fn a_refused_user_gets_no_session() {
        let refused = async |error: InsertUserError| {
            let mut world = World::default();
            world.hashes("12345678");
            world.users.expect_insert().return_once(|_| Err(error));
            world.sessions.expect_insert().never();
            world.services().accounts.register(command()).await
        };
        let taken = refused(InsertUserError::UsernameTaken).await;
        assert_matches!(taken, Err(RegisterError::UsernameTaken));
        let taken = refused(InsertUserError::EmailTaken).await;
        assert_matches!(taken, Err(RegisterError::EmailTaken));
        passes_on(repository_errors, async |cause| refused(cause.into()).await).await;
    }

    #[tokio::test]
    async fn an_account_that_vanishes_meanwhile_is_a_fault() {
        let mut world = inserting();
        world.sessions.expect_insert().once().returning(|_, _| Ok(false));
        let error = world.services().accounts.register(command()).await.unwrap_err();
        assert_eq!(explain(&error)[0], "internal error");
        assert_matches!(error, RegisterError::Failed(Failure::Internal(_)));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(hash_errors, async |cause| {
            let mut world = World::default();
            world.hasher.expect_hash().return_once(|_| Err(cause));
            world.users.expect_insert().never();
            world.services().accounts.register(command()).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = inserting();
            world.sessions.expect_insert().return_once(|_, _| Err(cause));
            world.services().accounts.register(command()).await
        })
        .await;
    }

    #[tokio::test]
    async fn an_address_is_mailed_a_token_where_the_policy_says_so() {
        for (verify_email, address) in [(true, true), (true, false), (false, true)] {
            let command = Register {
                email: address.then(|| email("ana@example.org")),
                ..command()
            };
            let mut world = World::default();
            world.policy.accounts.verify_email = verify_email;
            world.hashes("12345678").opens_session();
            world.users.expect_insert().once().return_once(move |new| {
                assert_eq!(new.mail.is_some(), verify_email && address);
                assert_eq!(new.verification.is_some(), verify_email && address);
                if let (Some(mail), Some((hash, expires_at))) = (new.mail, new.verification) {
                    let token = SecretToken::new(secret(1));
                    assert_eq!(hash, token.hash());
                    assert_eq!(expires_at, NOW.plus(Duration::from_hours(24)));
                    assert!(mail.text.contains(&token.show()), "{}", mail.text);
                    assert_ne!(mail.id.as_uuid(), new.id.as_uuid());
                }
                Ok(user(ANA))
            });
            assert!(world.services().accounts.register(command).await.is_ok());
        }
    }
}
