use super::{AccountService, Client, Grant};
use crate::Failure;
use std::time::Duration;
use tertulia_domain::{LoginName, Password};
use thiserror::Error;

/// Somebody wants a session.
#[derive(Debug, Clone)]
pub struct LogIn {
    /// Who; `None` for a text that can be nobody's name.
    pub login: Option<LoginName>,
    /// What proves it; `None` for a text that can be nobody's password.
    pub password: Option<Password>,
    /// Where from.
    pub client: Client,
}

/// Why there is no session.
#[derive(Debug, Error)]
pub enum LogInError {
    /// No such user, or another password; which of the two is not told.
    #[error("wrong user name or password")]
    InvalidCredentials,
    /// The password is right, but an admin has suspended the account.
    #[error("the account is suspended")]
    Suspended,
    /// Too many wrong passwords from this address for this account; nothing was tried.
    #[error("too many attempts; try again later")]
    Throttled {
        /// How long to wait.
        retry_after: Duration,
    },
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl AccountService {
    /// Opens a session for somebody who knows the password.
    ///
    /// A wrong name costs the same time as a wrong password: both end in one run of the hasher.
    pub async fn log_in(&self, command: LogIn) -> Result<Grant, LogInError> {
        let Some(password) = command.password else {
            // Too short or too long to be anybody's password: that says nothing about any account.
            return Err(LogInError::InvalidCredentials);
        };
        let ip = command.client.ip;
        if let Some(login) = &command.login {
            let begun = self.throttle.begin(login, ip, self.clock.now());
            begun.map_err(|retry_after| LogInError::Throttled { retry_after })?;
        }
        let credentials = match &command.login {
            Some(login) => self.users.find_credentials(login).await.map_err(Failure::from)?,
            None => None,
        };
        let (user, hash) = credentials.map(|found| (found.user, found.password)).unzip();
        let genuine = self.hasher.verify(password, hash).await.map_err(Failure::from)?;
        if genuine && let Some(login) = &command.login {
            self.throttle.succeeded(login, ip);
        }
        match user {
            Some(user) if genuine && user.suspended_at.is_some() => Err(LogInError::Suspended),
            Some(user) if genuine => self
                .open_session(user, command.client)
                .await?
                .ok_or(LogInError::InvalidCredentials),
            _ => Err(LogInError::InvalidCredentials),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANA, World, assert_matches, hash, hash_errors, passes_on, password, repository_errors, user};
    use mockall::predicate::eq;
    use tertulia_domain::repository::Credentials;

    /// As typed: what can be nobody's name or password becomes `None`.
    fn log_in(login: &str, password: &str) -> LogIn {
        LogIn {
            login: LoginName::parse(login),
            password: Password::offered(password.into()),
            client: Client::default(),
        }
    }

    /// A world in which only Ana may be asked for, if anybody.
    fn knowing(found: bool) -> World {
        let mut world = World::default();
        let credentials = found.then(|| Credentials {
            user: user(ANA),
            password: hash("12345678"),
        });
        world
            .users
            .expect_find_credentials()
            .with(eq(LoginName::Username("ana".into())))
            .once()
            .return_once(|_| Ok(credentials));
        world
    }

    /// One password is checked, against that hash; the hasher finds it genuine, or not.
    fn verifies(world: &mut World, against: Option<&str>, genuine: bool) {
        world
            .hasher
            .expect_verify()
            .with(eq(password("12345678")), eq(against.map(hash)))
            .once()
            .return_once(move |_, _| Ok(genuine));
    }

    async fn assert_refused(mut world: World, command: LogIn) {
        world.sessions.expect_insert().never();
        world.tokens.expect_issue().never();
        let refused = world.services().accounts.log_in(command).await;
        assert_matches!(refused, Err(LogInError::InvalidCredentials));
    }

    #[tokio::test]
    async fn opens_a_session_of_that_user_and_client() {
        let mut world = knowing(true);
        verifies(&mut world, Some("12345678"), true);
        world.opens_session();
        let mut command = log_in("Ana", "12345678");
        command.client.ip = Some([10, 0, 0, 1].into());
        let grant = world.services().accounts.log_in(command.clone()).await.unwrap();
        assert_eq!((grant.user, grant.session.user_id), (user(ANA), ANA));
        assert_eq!(grant.session.ip, command.client.ip);
    }

    #[tokio::test]
    async fn a_wrong_password_opens_nothing() {
        let mut world = knowing(true);
        verifies(&mut world, Some("12345678"), false);
        assert_refused(world, log_in("ana", "12345678")).await;
    }

    /// Whatever the hasher says: there is nobody to let in.
    #[tokio::test]
    async fn an_unknown_name_costs_one_run_of_the_hasher() {
        for genuine in [false, true] {
            let mut world = knowing(false);
            verifies(&mut world, None, genuine);
            assert_refused(world, log_in("ana", "12345678")).await;
        }
    }

    #[tokio::test]
    async fn an_impossible_name_costs_the_same_and_is_not_looked_up() {
        let mut world = World::default();
        world.users.expect_find_credentials().never();
        verifies(&mut world, None, false);
        assert_refused(world, log_in("no such name!", "12345678")).await;
    }

    #[tokio::test]
    async fn an_impossible_password_asks_nothing() {
        let mut world = World::default();
        world.users.expect_find_credentials().never();
        world.hasher.expect_verify().never();
        assert_refused(world, log_in("ana", "short")).await;
    }

    #[tokio::test]
    async fn an_account_that_vanishes_meanwhile_is_unknown() {
        let mut world = knowing(true);
        verifies(&mut world, Some("12345678"), true);
        world.sessions.expect_insert().once().returning(|_, _| Ok(false));
        let refused = world.services().accounts.log_in(log_in("ana", "12345678")).await;
        assert_matches!(refused, Err(LogInError::InvalidCredentials));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        let run = async |world: World| world.services().accounts.log_in(log_in("ana", "12345678")).await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.users.expect_find_credentials().return_once(|_| Err(cause));
            world.hasher.expect_verify().never();
            run(world).await
        })
        .await;
        passes_on(hash_errors, async |cause| {
            let mut world = knowing(true);
            world.hasher.expect_verify().return_once(|_, _| Err(cause));
            run(world).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = knowing(true);
            verifies(&mut world, Some("12345678"), true);
            world.sessions.expect_insert().return_once(|_, _| Err(cause));
            run(world).await
        })
        .await;
    }
}
