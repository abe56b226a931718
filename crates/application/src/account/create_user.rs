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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, NOW, World, assert_matches, email, fresh, hash, hash_errors, passes_on, password, repository_errors, user,
        username,
    };
    use tertulia_domain::repository::InsertUserError;

    fn command() -> CreateUser {
        CreateUser {
            username: username("ana"),
            email: Some(email("ana@example.org")),
            display_name: Some(DisplayName::new("Ana").unwrap()),
            password: password("12345678"),
            role: Role::Admin,
        }
    }

    #[tokio::test]
    async fn stores_the_user_and_opens_no_session() {
        let mut world = World::default();
        world.hashes("12345678").users.expect_insert().once().returning(|new| {
            let NewUser {
                id,
                username: name,
                email: address,
                display_name,
                profile,
                role,
                password,
                mail,
                verification,
                at,
            } = new;
            assert_eq!((mail, verification), (None, None));
            assert_eq!(*id.as_uuid(), fresh(1));
            assert_eq!(name, Some(username("ana")));
            assert_eq!(address, Some(email("ana@example.org")));
            assert_eq!(display_name, command().display_name);
            assert!(profile.is_empty());
            assert_eq!(role, Role::Admin);
            assert_eq!((password, at), (hash("12345678"), NOW));
            Ok(user(ANA))
        });
        world.sessions.expect_insert().never();
        let created = world.services().accounts.create_user(command()).await;
        assert_eq!(created.unwrap(), user(ANA));
    }

    #[tokio::test]
    async fn a_taken_name_is_told() {
        let refused = async |error: InsertUserError| {
            let mut world = World::default();
            world.hashes("12345678");
            world.users.expect_insert().return_once(|_| Err(error));
            world.services().accounts.create_user(command()).await
        };
        let taken = refused(InsertUserError::UsernameTaken).await;
        assert_matches!(taken, Err(RegisterError::UsernameTaken));
        let taken = refused(InsertUserError::EmailTaken).await;
        assert_matches!(taken, Err(RegisterError::EmailTaken));
        passes_on(repository_errors, async |cause| refused(cause.into()).await).await;
    }

    #[tokio::test]
    async fn without_a_hash_nothing_is_stored() {
        passes_on(hash_errors, async |cause| {
            let mut world = World::default();
            world.hasher.expect_hash().return_once(|_| Err(cause));
            world.users.expect_insert().never();
            world.services().accounts.create_user(command()).await
        })
        .await;
    }
}
