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
