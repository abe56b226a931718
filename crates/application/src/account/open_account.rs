use super::secret_token::SecretToken;
use super::{AccountService, RegisterError};
use crate::Failure;
use crate::mail::texts;
use tertulia_domain::repository::NewUser;
use tertulia_domain::{DisplayName, Email, MailId, Password, PasswordPolicy, Profile, Role, User, UserId, Username};

/// Characters of a password that the service chooses: 144 random bits.
const GENERATED_CHARS: usize = 24;

/// Somebody wants an account, and will log in later.
#[derive(Debug, Clone)]
pub struct OpenAccount {
    /// Username or e-mail address is needed.
    pub username: Option<Username>,
    /// Username or e-mail address is needed.
    pub email: Option<Email>,
    /// Free text.
    pub display_name: Option<DisplayName>,
    /// Further facts.
    pub profile: Profile,
    /// The password; without one, the service chooses it and mails it to the e-mail address, if there is one.
    pub password: Option<Password>,
}

/// An account that nobody has logged in to yet.
#[derive(Debug, Clone)]
pub struct OpenedAccount {
    /// Whose it is.
    pub user: User,
    /// The password, if the service chose it: to be shown this once.
    pub generated: Option<Password>,
}

impl AccountService {
    /// Makes an account without logging in to it.
    pub async fn open_account(&self, command: OpenAccount) -> Result<OpenedAccount, RegisterError> {
        if command.username.is_none() && command.email.is_none() {
            return Err(RegisterError::NoLogin);
        }
        let generated = match &command.password {
            Some(_) => None,
            None => Some(self.generate_password()?),
        };
        let password = command.password.or_else(|| generated.clone());
        let password = password.ok_or_else(|| Failure::Internal("no password was made".into()))?;
        let hash = self.hasher.hash(password).await.map_err(Failure::from)?;
        let at = self.clock.now();
        let verification = self.policy.verify_email.then(|| self.new_verification(at));
        let verification = verification.filter(|_| command.email.is_some());
        let token = verification.as_ref().map(|new| (new.hash, new.expires_at));
        let mut mail = verification.map(|new| new.mail);
        if let Some(password) = &generated {
            let id = MailId::from_uuid(self.ids.next());
            mail = Some(texts::first_password(id, password, mail));
        }
        let user = NewUser {
            id: UserId::from_uuid(self.ids.next()),
            mail: mail.filter(|_| command.email.is_some()),
            username: command.username,
            email: command.email,
            display_name: command.display_name,
            profile: command.profile,
            role: Role::User,
            password: hash,
            verification: token,
            at,
        };
        let user = self.users.insert(user).await?;
        Ok(OpenedAccount { user, generated })
    }

    fn generate_password(&self) -> Result<Password, Failure> {
        let mut text = SecretToken::new(self.secrets.bytes()).show();
        text.truncate(GENERATED_CHARS);
        Password::new(text, PasswordPolicy::Standard).map_err(|error| Failure::Internal(error.into()))
    }
}
