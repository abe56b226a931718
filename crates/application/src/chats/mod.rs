//! Chats and their members.

mod access;
mod create_direct;
mod create_group;
mod delete_chat;
mod list_chats;
mod mark_read;
mod member_sets;
mod members;
mod overviews;
mod rename_chat;
mod set_avatar;
mod view_chat;

pub use access::AccessError;
pub use create_direct::{CreateDirect, CreateDirectError};
pub use create_group::{CreateGroup, CreateGroupError};
pub use list_chats::ListChatsError;
pub use member_sets::{
    CreateByMembers, CreateByMembersError, CreatedByMembers, ReplaceMembers, ReplaceMembersError, SetNoteError,
};
pub use members::{
    AddMember, AddMemberError, ChangeRole, ChangeRoleError, ListMembers, RemoveMember, RemoveMemberError,
};
pub use overviews::ListOverviews;
pub use set_avatar::SetChatAvatarError;

use crate::ports::{Clock, IdGenerator};
use crate::realtime::{Hub, Presence};
use crate::services::{Ports, Repositories};
use std::sync::Arc;
use tertulia_domain::repository::{ChatRepository, OverviewRepository, UserRepository};

/// Chats and their members.
pub struct ChatService {
    chats: Arc<dyn ChatRepository>,
    overviews: Arc<dyn OverviewRepository>,
    users: Arc<dyn UserRepository>,
    presence: Arc<Presence>,
    hub: Arc<Hub>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

impl ChatService {
    pub(crate) fn new(repositories: &Repositories, ports: &Ports, presence: Arc<Presence>, hub: Arc<Hub>) -> Self {
        Self {
            chats: Arc::clone(&repositories.chats),
            overviews: Arc::clone(&repositories.overviews),
            users: Arc::clone(&repositories.users),
            presence,
            hub,
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
        }
    }
}
