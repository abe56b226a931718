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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, NOW, World, assert_matches, email, fresh, hash, hash_errors, passes_on, password, repository_errors,
        secret, user, username,
    };
    use std::time::Duration;
    use tertulia_domain::ProfileValue;
    use tertulia_domain::repository::InsertUserError;

    fn command() -> OpenAccount {
        OpenAccount {
            username: Some(username("ana")),
            email: Some(email("ana@example.org")),
            display_name: Some(DisplayName::new("Ana").unwrap()),
            profile: Profile::new([("city".into(), ProfileValue::Text("Zaragoza".into()))]).unwrap(),
            password: Some(password("12345678")),
        }
    }

    /// What the service makes of the n-th secret that it draws.
    fn chosen(n: u8) -> Password {
        password(&SecretToken::new(secret(n)).show()[..GENERATED_CHARS])
    }

    #[tokio::test]
    async fn stores_an_ordinary_user_and_opens_no_session() {
        let mut world = World::default();
        world.hashes("12345678");
        world.sessions.expect_insert().never();
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
        let opened = world.services().accounts.open_account(command()).await.unwrap();
        assert_eq!(opened.user, user(ANA));
        assert!(opened.generated.is_none());
    }

    #[tokio::test]
    async fn without_a_name_nothing_is_hashed() {
        let mut world = World::default();
        world.hasher.expect_hash().never();
        world.users.expect_insert().never();
        let nameless = OpenAccount {
            username: None,
            email: None,
            ..command()
        };
        assert_matches!(
            world.services().accounts.open_account(nameless).await,
            Err(RegisterError::NoLogin)
        );
    }

    #[tokio::test]
    async fn a_password_that_nobody_gave_is_chosen_and_mailed() {
        for address in [true, false] {
            let mut world = World::default();
            world.hashes(chosen(1).expose());
            world.users.expect_insert().once().return_once(move |new| {
                assert_eq!(new.password, hash(chosen(1).expose()));
                assert_eq!(new.verification, None);
                assert_eq!(new.mail.is_some(), address);
                if let Some(mail) = new.mail {
                    assert!(mail.text.contains(chosen(1).expose()), "{}", mail.text);
                    assert_ne!(mail.id.as_uuid(), new.id.as_uuid());
                }
                Ok(user(ANA))
            });
            let command = OpenAccount {
                email: address.then(|| email("ana@example.org")),
                password: None,
                ..command()
            };
            let opened = world.services().accounts.open_account(command).await.unwrap();
            assert_eq!(opened.generated, Some(chosen(1)));
        }
    }

    #[tokio::test]
    async fn an_address_is_mailed_a_token_where_the_policy_says_so() {
        for (given, address) in [(true, true), (false, true), (true, false), (false, false)] {
            let mut world = World::default();
            world.policy.accounts.verify_email = true;
            let (password, token) = if given {
                (password("12345678"), SecretToken::new(secret(1)))
            } else {
                (chosen(1), SecretToken::new(secret(2)))
            };
            world.hashes(password.expose());
            world.users.expect_insert().once().return_once(move |new| {
                assert_eq!(new.mail.is_some(), address);
                assert_eq!(new.verification.is_some(), address);
                if let (Some(mail), Some((hash, expires_at))) = (new.mail, new.verification) {
                    assert_eq!(hash, token.hash());
                    assert_eq!(expires_at, NOW.plus(Duration::from_hours(24)));
                    assert!(mail.text.contains(&token.show()), "{}", mail.text);
                    assert_eq!(mail.text.contains(password.expose()), !given, "{}", mail.text);
                }
                Ok(user(ANA))
            });
            let mut command = command();
            command.password = command.password.filter(|_| given);
            command.email = command.email.filter(|_| address);
            assert!(world.services().accounts.open_account(command).await.is_ok());
        }
    }

    #[tokio::test]
    async fn tells_why_not() {
        let refused = async |error: InsertUserError| {
            let mut world = World::default();
            world.hashes("12345678");
            world.users.expect_insert().return_once(|_| Err(error));
            world.services().accounts.open_account(command()).await
        };
        let taken = refused(InsertUserError::UsernameTaken).await;
        assert_matches!(taken, Err(RegisterError::UsernameTaken));
        let taken = refused(InsertUserError::EmailTaken).await;
        assert_matches!(taken, Err(RegisterError::EmailTaken));
        passes_on(repository_errors, async |cause| refused(cause.into()).await).await;
        passes_on(hash_errors, async |cause| {
            let mut world = World::default();
            world.hasher.expect_hash().return_once(|_| Err(cause));
            world.users.expect_insert().never();
            world.services().accounts.open_account(command()).await
        })
        .await;
    }

    #[test]
    fn debug_output_is_silent() {
        let opened = OpenedAccount {
            user: user(ANA),
            generated: Some(chosen(1)),
        };
        assert!(!format!("{opened:?}").contains(chosen(1).expose()));
    }
}
