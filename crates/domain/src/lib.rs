//! The rules of a chat service.
//!
//! Entities and value objects that cannot hold an invalid value, the pure permission function, and the repository traits
//! that the adapters implement. Nothing here does I/O, reads a clock or draws a random number: identifiers and times
//! come in from outside, and `async` stands only in the signatures of the repository traits.

pub mod api_key;
pub mod chat;
pub mod event;
pub mod file;
pub mod idempotency;
pub mod ids;
pub mod mail;
pub mod membership;
pub mod message;
pub mod moderation;
pub mod overview;
pub mod page;
pub mod password;
pub mod permission;
pub mod profile;
pub mod repository;
pub mod session;
mod text;
pub mod time;
pub mod user;

pub use api_key::{ApiKey, Scope, Scopes, ScopesError};
pub use chat::{Chat, ChatKind, ChatTitle, ChatTitleError, ChatView};
pub use event::{Change, ChatEvent, Departure, EventSeq, Subscription};
pub use file::{Digest, Dimensions, File, FileName, FileStanding, MediaType, ObjectKey, PublicKey};
pub use idempotency::{Claim, Fingerprint, IdempotencyKey, IdempotencyKeyError, Recorded, Recording, StoredAnswer};
pub use ids::{ChatId, FileId, MailId, MessageId, NodeId, ReportId, SessionId, UserId};
pub use mail::Mail;
pub use membership::{Member, MemberRole, Membership};
pub use message::{
    Author, Message, MessageBody, MessageBodyError, MessageContent, MessageDraft, MessageDraftError, ReplyPreview, Seq,
};
pub use moderation::{AuditAction, AuditEntry, Reason, ReasonError, Report, Resolution};
pub use overview::{ChatOverview, Note, NoteText, NoteTextError, OverviewMember};
pub use page::{ChatCursor, Counted, Limit, LimitError, MemberCursor, MessageRange, Page, UserCursor, Window};
pub use password::{Password, PasswordError, PasswordHash, PasswordPolicy};
pub use profile::{Profile, ProfileError, ProfileValue};
pub use session::{Caller, ClaimedSession, DeviceName, DeviceNameError, RefreshHashes, Session};
pub use time::Timestamp;
pub use user::{
    DisplayName, DisplayNameError, Email, EmailError, LoginName, Role, SearchPrefix, SearchPrefixError, User, Username,
    UsernameError,
};
