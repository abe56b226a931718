use super::AccountService;
use crate::Failure;
use tertulia_domain::{Limit, Page, SearchPrefix, User, UserCursor, UserId};
use thiserror::Error;

/// Why there is no user to show.
#[derive(Debug, Error)]
pub enum FindUserError {
    /// Nobody has this id, or the account is deleted.
    #[error("no such user")]
    NotFound,
    /// See there.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Which users to list.
#[derive(Debug, Clone)]
pub struct ListUsers {
    /// Those whose username or display name begins so; all without.
    pub prefix: Option<SearchPrefix>,
    /// Where the page begins.
    pub after: Option<UserCursor>,
    /// How many.
    pub limit: Limit,
}

impl AccountService {
    /// One user; oneself too.
    pub async fn user(&self, id: UserId) -> Result<User, FindUserError> {
        let user = self.users.find(id).await.map_err(Failure::from)?;
        user.filter(|user| user.deleted_at.is_none())
            .ok_or(FindUserError::NotFound)
    }

    /// A page of users, by number.
    pub async fn users(&self, query: ListUsers) -> Result<Page<User, UserCursor>, Failure> {
        Ok(self.users.list(query.prefix, query.after, query.limit).await?)
    }
}
