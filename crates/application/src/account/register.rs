use super::{AccountService, Client, Grant};
use crate::Failure;
use tertulia_domain::repository::{InsertUserError, NewUser};
use tertulia_domain::{DisplayName, Email, Password, Profile, Role, UserId, Username};
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
        if command.username.is_none() && command.email.is_none() {
            return Err(RegisterError::NoLogin);
        }
        let password = self.hasher.hash(command.password).await.map_err(Failure::from)?;
        let at = self.clock.now();
        let verification = self.policy.verify_email.then(|| self.new_verification(at));
        let verification = verification.filter(|_| command.email.is_some());
        let user = NewUser {
            id: UserId::from_uuid(self.ids.next()),
            username: command.username,
            email: command.email,
            display_name: command.display_name,
            profile: command.profile,
            role: Role::User,
            password,
            verification: verification.as_ref().map(|new| (new.hash, new.expires_at)),
            mail: verification.map(|new| new.mail),
            at,
        };
        let user = self.users.insert(user).await?;
        let grant = self.open_session(user, command.client).await?;
        grant.ok_or_else(|| Failure::Internal("the account vanished while it was made".into()).into())
    }
}
