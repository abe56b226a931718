//! Accounts, sessions and users.

mod authenticate;
mod change_password;
mod create_user;
mod delete_account;
mod end_sessions;
mod find_users;
mod grant;
mod login;
mod refresh;
mod refresh_token;
mod register;
mod update_profile;

pub use authenticate::AuthenticateError;
pub use change_password::{ChangePassword, ChangePasswordError};
pub use create_user::CreateUser;
pub use delete_account::DeleteAccountError;
pub use end_sessions::EndSessionError;
pub use find_users::{FindUserError, ListUsers};
pub use grant::{Client, Grant};
pub use login::{LogIn, LogInError};
pub use refresh::RefreshError;
pub use register::{Register, RegisterError};
pub use update_profile::UpdateProfileError;

use crate::ports::{Clock, IdGenerator, PasswordHasher, SecretGenerator, TokenIssuer};
use crate::realtime::Presence;
use crate::services::{Ports, Repositories};
use std::sync::Arc;
use std::time::Duration;
use tertulia_domain::repository::{SessionRepository, UserRepository};

/// How long sessions live, and how many one user may have.
#[derive(Debug, Clone, Copy)]
pub struct SessionPolicy {
    /// A session that is not refreshed for so long expires.
    pub idle: Duration,
    /// Live sessions of one user at the most; a further log-in ends the least recently used.
    pub most: u32,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            idle: Duration::from_hours(30 * 24),
            most: 100,
        }
    }
}

/// Accounts, sessions and users.
pub struct AccountService {
    users: Arc<dyn UserRepository>,
    sessions: Arc<dyn SessionRepository>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    secrets: Arc<dyn SecretGenerator>,
    hasher: Arc<dyn PasswordHasher>,
    tokens: Arc<dyn TokenIssuer>,
    presence: Arc<Presence>,
    policy: SessionPolicy,
}

impl AccountService {
    pub(crate) fn new(
        repositories: &Repositories,
        ports: &Ports,
        presence: Arc<Presence>,
        policy: SessionPolicy,
    ) -> Self {
        Self {
            users: Arc::clone(&repositories.users),
            sessions: Arc::clone(&repositories.sessions),
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
            secrets: Arc::clone(&ports.secrets),
            hasher: Arc::clone(&ports.hasher),
            tokens: Arc::clone(&ports.tokens),
            presence,
            policy,
        }
    }
}
