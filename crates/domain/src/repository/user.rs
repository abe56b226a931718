use super::{MailDraft, RepositoryError};
use crate::ids::{FileId, SessionId, UserId};
use crate::page::{Counted, Limit, Page, UserCursor, Window};
use crate::password::PasswordHash;
use crate::profile::Profile;
use crate::time::Timestamp;
use crate::user::{DisplayName, Email, LoginName, Role, SearchPrefix, User, Username};
use async_trait::async_trait;
use thiserror::Error;

/// A user to be stored.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The identifier, fresh.
    pub id: UserId,
    /// Unique by its key. Username or e-mail is there.
    pub username: Option<Username>,
    /// Unique by its key.
    pub email: Option<Email>,
    /// Free text.
    pub display_name: Option<DisplayName>,
    /// Further facts.
    pub profile: Profile,
    /// The role.
    pub role: Role,
    /// What the user logs in with.
    pub password: PasswordHash,
    /// A mail to the user's e-mail address, stored in the same transaction.
    pub mail: Option<MailDraft>,
    /// The hash of a token in that mail that verifies the address, and when it expires; see
    /// [`AccountTokenRepository`](super::AccountTokenRepository).
    pub verification: Option<([u8; 32], Timestamp)>,
    /// When.
    pub at: Timestamp,
}

/// Why a user could not be stored. When both are taken, the username is named.
#[derive(Debug, Error)]
pub enum InsertUserError {
    /// Another user has a username with this key.
    #[error("the username is taken")]
    UsernameTaken,
    /// Another user has an e-mail address with this key.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// See there.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// What to change of a user: `None` leaves a thing as it is, `Some(None)` removes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChanges {
    /// The username.
    pub username: Option<Option<Username>>,
    /// The e-mail address.
    pub email: Option<Option<Email>>,
    /// The display name.
    pub display_name: Option<Option<DisplayName>>,
    /// The whole profile.
    pub profile: Option<Profile>,
    /// The role.
    pub role: Option<Role>,
}

/// Why a user could not be changed.
#[derive(Debug, Error)]
pub enum UpdateUserError {
    /// No such user, or a deleted one.
    #[error("no such user")]
    NotFound,
    /// Another user has a username with this key.
    #[error("the username is taken")]
    UsernameTaken,
    /// Another user has an e-mail address with this key.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// Neither username nor e-mail address would be left.
    #[error("a user needs a username or an e-mail address")]
    NoLogin,
    /// See there.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// Who somebody claims to be, and what proves it.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user; never a deleted one.
    pub user: User,
    /// The stored hash of their password.
    pub password: PasswordHash,
}

/// What went with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// Sessions that ended.
    pub sessions: u64,
    /// Groups that the user was in and is no longer.
    pub groups_left: u64,
    /// Groups that nobody was left in, and that were deleted.
    pub groups_deleted: u64,
    /// Messages that were blanked; zero unless that was asked for.
    pub messages: u64,
    /// Files that went, because nothing uses them any more.
    pub files: u64,
}

/// The users.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// Stores a user and gives it the next number. Of two at once with one key, one succeeds.
    async fn insert(&self, user: NewUser) -> Result<User, InsertUserError>;

    /// The user of that id, a deleted one too.
    async fn find(&self, id: UserId) -> Result<Option<User>, RepositoryError>;

    /// The user of that number; never a deleted one.
    async fn find_by_number(&self, number: i64) -> Result<Option<User>, RepositoryError>;

    /// The user of that username, without regard to case.
    async fn find_by_username(&self, username: &Username) -> Result<Option<User>, RepositoryError>;

    /// Those of the users that are there and not deleted, in no particular order.
    async fn find_many(&self, ids: Vec<UserId>) -> Result<Vec<User>, RepositoryError>;

    /// The user that logs in so, with the password hash; never a deleted one.
    async fn find_credentials(&self, login: &LoginName) -> Result<Option<Credentials>, RepositoryError>;

    /// The user's password hash; `None` when there is no such user or a deleted one.
    async fn find_password(&self, id: UserId) -> Result<Option<PasswordHash>, RepositoryError>;

    /// The users that are not deleted, by number; with `prefix` those whose username's or display name's key begins so.
    async fn list(
        &self,
        prefix: Option<SearchPrefix>,
        after: Option<UserCursor>,
        limit: Limit,
    ) -> Result<Page<User, UserCursor>, RepositoryError>;

    /// The users that are not deleted, by number, smallest first, with how many there are.
    async fn list_counted(&self, window: Window) -> Result<Counted<User>, RepositoryError>;

    /// Changes a user and returns it as it is afterwards. All or nothing. Another e-mail address is an unverified one.
    async fn update(&self, id: UserId, changes: UserChanges, at: Timestamp) -> Result<User, UpdateUserError>;

    /// Replaces the password hash, ends the user's sessions except `keep`, and makes tokens that reset the password void, in
    /// one transaction. False when there is no
    /// such user or a deleted one.
    async fn set_password(
        &self,
        id: UserId,
        password: &PasswordHash,
        keep: Option<SessionId>,
        at: Timestamp,
    ) -> Result<bool, RepositoryError>;

    /// Gives a user one of their own files as avatar, or takes the avatar away; the old one goes unless something else uses
    /// it. `None` when there is no such user or they have no such file.
    async fn set_avatar(
        &self,
        id: UserId,
        avatar: Option<FileId>,
        at: Timestamp,
    ) -> Result<Option<User>, RepositoryError>;

    /// Deletes an account: ends its sessions; removes names, e-mail, avatar, profile, password, keys, tokens and
    /// blocks; takes the user out of every
    /// group, as [`ChatRepository::remove_member`](super::ChatRepository::remove_member) does. Direct chats and messages
    /// stay; with `erase` every message the user ever sent is deleted, as
    /// [`MessageRepository::delete`](super::MessageRepository::delete) does. The username and the e-mail address are free
    /// again. `None` when there is no such user or it is already deleted. One transaction.
    async fn delete(&self, id: UserId, erase: bool, at: Timestamp) -> Result<Option<Erased>, RepositoryError>;
}
