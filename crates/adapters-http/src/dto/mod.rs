//! What the native API answers with. They borrow from the domain's values and are written to JSON at once.

mod api_key;
mod chat;
mod file;
mod list;
mod message;
mod moderation;
mod scalar;
mod session;
mod sight;
mod user;

pub(crate) use api_key::{ApiKey, NewApiKey, Scope};
pub(crate) use chat::{Chat, ChatKind, Member, MemberRole, ReadState};
pub(crate) use file::{File, percent_encoded, url as file_url};
pub(crate) use list::List;
pub(crate) use message::Message;
pub(crate) use moderation::{AuditEntry, Report};
pub(crate) use scalar::{Id, Time};
pub(crate) use session::{Session, SessionInfo};
pub(crate) use sight::Sight;
pub(crate) use user::{Erased, OwnUser, Profile, User};
