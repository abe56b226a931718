use super::{AccountService, Client, Grant};
use crate::Failure;
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
        let credentials = match &command.login {
            Some(login) => self.users.find_credentials(login).await.map_err(Failure::from)?,
            None => None,
        };
        let (user, hash) = credentials.map(|found| (found.user, found.password)).unzip();
        let genuine = self.hasher.verify(password, hash).await.map_err(Failure::from)?;
        match user {
            Some(user) if genuine => self
                .open_session(user, command.client)
                .await?
                .ok_or(LogInError::InvalidCredentials),
            _ => Err(LogInError::InvalidCredentials),
        }
    }
}
