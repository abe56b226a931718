use super::{AccountService, RegisterError};
use crate::Failure;
use tertulia_domain::repository::NewUser;
use tertulia_domain::{DisplayName, Email, Password, Profile, Role, User, UserId, Username};

/// An operator makes an account for somebody.
#[derive(Debug, Clone)]
pub struct CreateUser {
    /// The username.
    pub username: Username,
    /// The e-mail address.
    pub email: Option<Email>,
    /// Free text.
    pub display_name: Option<DisplayName>,
    /// The password.
    pub password: Password,
    /// The role.
    pub role: Role,
}

impl AccountService {
    /// Makes an account without logging in to it.
    pub async fn create_user(&self, command: CreateUser) -> Result<User, RegisterError> {
        let password = self.hasher.hash(command.password).await.map_err(Failure::from)?;
        let user = NewUser {
            id: UserId::from_uuid(self.ids.next()),
            username: Some(command.username),
            email: command.email,
            display_name: command.display_name,
            profile: Profile::default(),
            role: command.role,
            password,
            mail: None,
            verification: None,
            at: self.clock.now(),
        };
        Ok(self.users.insert(user).await?)
    }
}
