use super::AccountService;
use crate::Failure;
use tertulia_domain::{Caller, File, User};
use thiserror::Error;

/// Why an avatar was not changed.
#[derive(Debug, Error)]
pub enum SetAvatarError {
    /// Only PNG, JPEG, GIF and WebP are.
    #[error("an avatar must be a PNG, JPEG, GIF or WebP image")]
    NotAnImage,
    /// The account or the file is gone.
    #[error("no such account or file")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl AccountService {
    /// Makes a file that the caller uploaded their avatar; `None` takes it away.
    pub async fn set_avatar(&self, caller: Caller, avatar: Option<&File>) -> Result<User, SetAvatarError> {
        if avatar.is_some_and(|file| !file.is_image()) {
            return Err(SetAvatarError::NotAnImage);
        }
        let id = avatar.map(|file| file.id);
        let user = self
            .users
            .set_avatar(caller.user_id, id, self.clock.now())
            .await
            .map_err(Failure::from)?;
        user.ok_or(SetAvatarError::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANA, CALLER, FILE, NOW, World, assert_matches, image, passes_on, repository_errors, user};
    use mockall::predicate::eq;

    #[tokio::test]
    async fn a_picture_is_set_and_taken_away() {
        for avatar in [Some(image()), None] {
            let mut world = World::default();
            let id = avatar.as_ref().map(|_| FILE);
            let asked = world.users.expect_set_avatar();
            asked.with(eq(ANA), eq(id), eq(NOW)).once();
            asked.returning(|_, _, _| Ok(Some(user(ANA))));
            let set = world.services().accounts.set_avatar(CALLER, avatar.as_ref()).await;
            assert_eq!(set.unwrap(), user(ANA));
        }
    }

    #[tokio::test]
    async fn only_a_picture_is_one() {
        let mut world = World::default();
        world.users.expect_set_avatar().never();
        let text = File {
            dimensions: None,
            ..image()
        };
        let refused = world.services().accounts.set_avatar(CALLER, Some(&text)).await;
        assert_matches!(refused, Err(SetAvatarError::NotAnImage));
    }

    #[tokio::test]
    async fn tells_why_not() {
        let mut world = World::default();
        world.users.expect_set_avatar().once().returning(|_, _, _| Ok(None));
        let refused = world.services().accounts.set_avatar(CALLER, Some(&image())).await;
        assert_matches!(refused, Err(SetAvatarError::NotFound));
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.users.expect_set_avatar().return_once(|_, _, _| Err(cause));
            world.services().accounts.set_avatar(CALLER, None).await
        })
        .await;
    }
}
