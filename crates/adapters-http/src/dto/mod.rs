//! What the native API answers with. They borrow from the domain's values and are written to JSON at once.

mod chat;
mod list;
mod message;
mod scalar;
mod session;
mod user;

pub(crate) use chat::{Chat, ChatKind, Member, MemberRole, ReadState};
pub(crate) use list::List;
pub(crate) use message::Message;
pub(crate) use scalar::{Id, Time};
pub(crate) use session::{Session, SessionInfo};
pub(crate) use user::{Erased, OwnUser, Profile, User};
