use super::AccountService;
use crate::Failure;
use tertulia_domain::{Counted, Limit, Page, SearchPrefix, User, UserCursor, UserId, Username, Window};
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

    /// The user of that number.
    pub async fn user_by_number(&self, number: i64) -> Result<User, FindUserError> {
        let user = self.users.find_by_number(number).await.map_err(Failure::from)?;
        user.ok_or(FindUserError::NotFound)
    }

    /// The user of that username.
    pub async fn user_by_name(&self, name: &Username) -> Result<User, FindUserError> {
        let user = self.users.find_by_username(name).await.map_err(Failure::from)?;
        user.ok_or(FindUserError::NotFound)
    }

    /// A numbered page of all users, by number, with how many there are.
    pub async fn users_by_page(&self, window: Window) -> Result<Counted<User>, Failure> {
        Ok(self.users.list_counted(window).await?)
    }

    /// A page of users, by number.
    pub async fn users(&self, query: ListUsers) -> Result<Page<User, UserCursor>, Failure> {
        Ok(self.users.list(query.prefix, query.after, query.limit).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ANA, BEN, NOW, World, assert_matches, passes_on, repository_errors, user, username};
    use mockall::predicate::eq;

    fn finding(found: Option<User>) -> World {
        let mut world = World::default();
        world
            .users
            .expect_find()
            .with(eq(BEN))
            .once()
            .return_once(|_| Ok(found));
        world
    }

    #[tokio::test]
    async fn finds_a_user() {
        let services = finding(Some(user(BEN))).services();
        assert_eq!(services.accounts.user(BEN).await.unwrap(), user(BEN));
    }

    #[tokio::test]
    async fn a_deleted_user_is_like_none() {
        let deleted = User {
            deleted_at: Some(NOW),
            ..user(BEN)
        };
        for found in [None, Some(deleted)] {
            let services = finding(found).services();
            assert_matches!(services.accounts.user(BEN).await, Err(FindUserError::NotFound));
        }
    }

    #[tokio::test]
    async fn lists_as_asked() {
        let query = ListUsers {
            prefix: SearchPrefix::new("An").unwrap(),
            after: Some(UserCursor(4)),
            limit: Limit::new(2).unwrap(),
        };
        let page = Page {
            items: vec![user(ANA)],
            next: Some(UserCursor(9)),
        };
        let mut world = World::default();
        let (answer, asked) = (page.clone(), query.clone());
        world
            .users
            .expect_list()
            .with(eq(asked.prefix), eq(asked.after), eq(asked.limit))
            .once()
            .return_once(|_, _, _| Ok(answer));
        assert_eq!(world.services().accounts.users(query).await.unwrap(), page);
    }

    #[tokio::test]
    async fn finds_by_number_and_by_name() {
        for found in [Some(user(BEN)), None] {
            let mut world = World::default();
            let by_number = found.clone();
            world
                .users
                .expect_find_by_number()
                .with(eq(2))
                .once()
                .return_once(|_| Ok(by_number));
            let by_name = found.clone();
            world
                .users
                .expect_find_by_username()
                .with(eq(username("ben")))
                .once()
                .return_once(|_| Ok(by_name));
            let accounts = world.services().accounts;
            for answer in [
                accounts.user_by_number(2).await,
                accounts.user_by_name(&username("ben")).await,
            ] {
                match &found {
                    Some(found) => assert_eq!(answer.unwrap(), *found),
                    None => assert_matches!(answer, Err(FindUserError::NotFound)),
                }
            }
        }
    }

    #[tokio::test]
    async fn turns_pages_by_number() {
        let page = Counted {
            items: vec![user(ANA)],
            total: 31,
        };
        let mut world = World::default();
        let (window, answer) = (Window::page(2, 30), page.clone());
        world
            .users
            .expect_list_counted()
            .with(eq(window))
            .once()
            .return_once(|_| Ok(answer));
        assert_eq!(world.services().accounts.users_by_page(window).await.unwrap(), page);
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.users.expect_find_by_number().return_once(|_| Err(cause));
            world.services().accounts.user_by_number(2).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.users.expect_find_by_username().return_once(|_| Err(cause));
            world.services().accounts.user_by_name(&username("ben")).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.users.expect_list_counted().return_once(|_| Err(cause));
            world.services().accounts.users_by_page(Window::page(1, 30)).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.users.expect_find().return_once(|_| Err(cause));
            world.services().accounts.user(BEN).await
        })
        .await;
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.users.expect_list().return_once(|_, _, _| Err(cause));
            let everyone = ListUsers {
                prefix: None,
                after: None,
                limit: Limit::DEFAULT,
            };
            world.services().accounts.users(everyone).await
        })
        .await;
    }
}
