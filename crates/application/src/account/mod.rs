//! Accounts, sessions and users.

mod api_keys;
mod authenticate;
mod change_password;
mod create_user;
mod delete_account;
mod end_sessions;
mod find_users;
mod grant;
mod login;
mod open_account;
mod refresh;
mod refresh_token;
mod register;
mod reissue;
mod replace_password;
mod reset_password;
mod secret_token;
mod set_avatar;
mod throttle;
mod ticket;
mod update_profile;
mod verify_email;

pub use api_keys::{CreateApiKey, CreateApiKeyError, CreatedApiKey, RevokeApiKeyError};
pub use authenticate::{AuthenticateError, Identified};
pub use change_password::{ChangePassword, ChangePasswordError};
pub use create_user::CreateUser;
pub use delete_account::DeleteAccountError;
pub use end_sessions::EndSessionError;
pub use find_users::{FindUserError, ListUsers};
pub use grant::{AccessLifetime, Client, Grant};
pub use login::{LogIn, LogInError};
pub use open_account::{OpenAccount, OpenedAccount};
pub use refresh::RefreshError;
pub use register::{Register, RegisterError};
pub use reset_password::{ResetPassword, ResetPasswordError};
pub use set_avatar::SetAvatarError;
pub use throttle::ThrottlePolicy;
pub use ticket::Ticket;
pub use update_profile::{UpdateProfileError, UpdatedProfile};
pub use verify_email::{RequestVerificationError, VerifyEmailError};

use crate::ports::{Clock, IdGenerator, PasswordHasher, SecretGenerator, TokenIssuer};
use crate::realtime::{Hub, Presence};
use crate::services::{Ports, Repositories};
use std::sync::Arc;
use std::time::Duration;
use tertulia_domain::repository::{
    AccountTokenRepository, ApiKeyRepository, EventRepository, SessionRepository, UserRepository,
};
use throttle::LogInThrottle;

/// The rules of accounts that an operator sets.
#[derive(Debug, Clone)]
pub struct AccountPolicy {
    /// A session that is not refreshed for so long expires.
    pub idle: Duration,
    /// Live sessions of one user at the most; a further log-in ends the least recently used.
    pub most: u32,
    /// Whether an e-mail address must be verified before it becomes a user's.
    pub verify_email: bool,
    /// Where users find the service, without a slash at the end: for links in mails.
    pub public_url: String,
    /// Guessing passwords.
    pub throttle: ThrottlePolicy,
}

impl Default for AccountPolicy {
    fn default() -> Self {
        Self {
            idle: Duration::from_hours(30 * 24),
            most: 100,
            verify_email: false,
            public_url: "http://127.0.0.1:8080".to_owned(),
            throttle: ThrottlePolicy::default(),
        }
    }
}

/// Accounts, sessions and users.
pub struct AccountService {
    users: Arc<dyn UserRepository>,
    sessions: Arc<dyn SessionRepository>,
    tokens_by_mail: Arc<dyn AccountTokenRepository>,
    api_keys: Arc<dyn ApiKeyRepository>,
    events: Arc<dyn EventRepository>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    secrets: Arc<dyn SecretGenerator>,
    hasher: Arc<dyn PasswordHasher>,
    tokens: Arc<dyn TokenIssuer>,
    presence: Arc<Presence>,
    hub: Arc<Hub>,
    throttle: LogInThrottle,
    policy: AccountPolicy,
}

impl AccountService {
    pub(crate) fn new(
        repositories: &Repositories,
        ports: &Ports,
        presence: Arc<Presence>,
        hub: Arc<Hub>,
        policy: AccountPolicy,
    ) -> Self {
        Self {
            users: Arc::clone(&repositories.users),
            sessions: Arc::clone(&repositories.sessions),
            tokens_by_mail: Arc::clone(&repositories.account_tokens),
            api_keys: Arc::clone(&repositories.api_keys),
            events: Arc::clone(&repositories.events),
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
            secrets: Arc::clone(&ports.secrets),
            hasher: Arc::clone(&ports.hasher),
            tokens: Arc::clone(&ports.tokens),
            presence,
            hub,
            throttle: LogInThrottle::new(policy.throttle),
            policy,
        }
    }
}
