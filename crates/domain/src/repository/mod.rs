//! The repositories: what the core asks of a database.
//!
//! What holds for all of them:
//!
//! * One method is one transaction, and one hop to wherever the database is. When it returns `Ok`, what it did is
//!   durable; when it returns `Err`, nothing of it happened — except that after [`RepositoryError::Unavailable`] from a
//!   writing method the connection may have broken between commit and answer.
//! * Not found is `Option::None` or a named variant, never a [`RepositoryError`].
//! * Methods may run concurrently from any number of processes; each says what it promises then.
//! * Times come in as arguments and are kept to the millisecond.

mod account_token;
mod api_key;
mod chat;
mod error;
mod event;
mod file;
mod maintenance;
mod message;
mod moderation;
mod outbox;
mod overview;
mod session;
mod user;
mod verification_key;

pub use account_token::{AccountTokenRepository, NewAccountToken, VerifyEmailError};
pub use api_key::ApiKeyRepository;
pub use chat::{
    AddMember, AddMemberError, ChatRepository, CreatedChat, InsertChatError, ListChatsError, NewDirectChat, NewGroup,
    NewMember, NewSetChat, ReadState, Removal, ReplaceMembers, ReplaceMembersError, SetRoleError,
};
pub use error::RepositoryError;
pub use event::{EventRepository, Events};
pub use file::{FileRepository, InsertFileError, NewFile, StoredFile, ThumbnailJob};
pub use maintenance::{Maintenance, Purged};
pub use message::{
    AppendError, AppendMessage, Appended, ListMessages, ListMessagesError, MessageContext, MessageRepository,
};
pub use moderation::{
    AuditCursor, BlockError, InsertReportError, ModerationRepository, NewReport, ReportCursor, ReportFilter,
};
pub use outbox::{DueMail, MailDraft, OutboxRepository};
pub use overview::{ListOverviews, OverviewOrder, OverviewRepository, VisibleMessages};
pub use session::{Activity, NewSession, RotateRefresh, Rotation, SessionRepository};
pub use user::{Credentials, Erased, InsertUserError, NewUser, UpdateUserError, UserChanges, UserRepository};
pub use verification_key::{VerificationKey, VerificationKeyRepository};

#[cfg(feature = "mocks")]
pub use {
    account_token::MockAccountTokenRepository, api_key::MockApiKeyRepository, chat::MockChatRepository,
    event::MockEventRepository, file::MockFileRepository, maintenance::MockMaintenance, message::MockMessageRepository,
    moderation::MockModerationRepository, outbox::MockOutboxRepository, overview::MockOverviewRepository,
    session::MockSessionRepository, user::MockUserRepository, verification_key::MockVerificationKeyRepository,
};
