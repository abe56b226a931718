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
    use crate::testing::{
        ANA, NOW, POLICY, World, access_token, assert_matches, hash, hash_errors, passes_on, password,
        repository_errors, user,
    };
    use mockall::predicate::eq;
    use tertulia_domain::User;
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

    fn from(ip: [u8; 4], password: &str) -> LogIn {
        let mut command = log_in("ana", password);
        command.client.ip = Some(ip.into());
        command
    }

    /// A world in which Ana's password is as [`password`] says and the others are wrong, with the number of passwords
    /// that may reach the hasher.
    fn guarded(suspended: bool, tries: usize) -> World {
        let mut world = World::default();
        world.users.expect_find_credentials().times(tries).returning(move |_| {
            let ana = User {
                suspended_at: suspended.then_some(NOW),
                ..user(ANA)
            };
            Ok(Some(Credentials {
                user: ana,
                password: hash("12345678"),
            }))
        });
        let asked = world.hasher.expect_verify().times(tries);
        asked.returning(|tried, _| Ok(tried == password("12345678")));
        world
    }

    #[tokio::test]
    async fn a_thousand_guesses_reach_the_hasher_a_few_times() {
        let free = POLICY.throttle.free;
        let mut world = guarded(false, usize::try_from(free).unwrap() + 1);
        world.opens_session();
        let services = world.services();
        let (mut tried, mut refused) = (0, 0);
        for n in 0..1_000 {
            // Even the right one is not tried then: that would tell.
            let guess = if n == 999 {
                "12345678".to_owned()
            } else {
                format!("guess {n:03}")
            };
            match services.accounts.log_in(from([192, 0, 2, 1], &guess)).await {
                Err(LogInError::InvalidCredentials) => tried += 1,
                Err(LogInError::Throttled { retry_after }) => {
                    assert_eq!(retry_after, Duration::from_secs(1));
                    refused += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((tried, refused), (free, 1_000 - free));
        // Their owner is not locked out.
        assert!(services.accounts.log_in(from([192, 0, 2, 2], "12345678")).await.is_ok());
    }

    #[tokio::test]
    async fn the_right_password_clears_the_count() {
        let mut world = guarded(false, 9);
        world.sessions.expect_insert().returning(|_, _| Ok(true));
        world.tokens.expect_issue().returning(|_, _| Ok(access_token("access")));
        let services = world.services();
        for _ in 0..3 {
            for guess in ["guess 01", "guess 02"] {
                let wrong = services.accounts.log_in(from([192, 0, 2, 1], guess)).await;
                assert_matches!(wrong, Err(LogInError::InvalidCredentials));
            }
            assert!(services.accounts.log_in(from([192, 0, 2, 1], "12345678")).await.is_ok());
        }
    }

    #[tokio::test]
    async fn only_who_knows_the_password_is_told_of_a_suspension() {
        let log_in_as = async |guess: &str| {
            let mut world = guarded(true, 1);
            world.sessions.expect_insert().never();
            world.services().accounts.log_in(from([192, 0, 2, 1], guess)).await
        };
        assert_matches!(log_in_as("12345678").await, Err(LogInError::Suspended));
        assert_matches!(log_in_as("guess 01").await, Err(LogInError::InvalidCredentials));
    }
}
