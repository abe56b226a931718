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
