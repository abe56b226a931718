//! Messages.

mod change_message;
mod list_messages;
mod send_message;
mod view_message;

pub use change_message::{DeleteMessageError, EditMessage, EditMessageError};
pub use list_messages::{ListMessages, ListMessagesError};
pub use send_message::{SendMessage, SendMessageError};
pub use view_message::ViewMessageError;

use crate::ports::{Clock, IdGenerator};
use crate::realtime::{Hub, Presence};
use crate::services::{Ports, Repositories};
use std::sync::Arc;
use tertulia_domain::repository::{ChatRepository, MessageRepository, ModerationRepository};

/// Messages.
pub struct MessagingService {
    messages: Arc<dyn MessageRepository>,
    chats: Arc<dyn ChatRepository>,
    moderation: Arc<dyn ModerationRepository>,
    presence: Arc<Presence>,
    hub: Arc<Hub>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

impl MessagingService {
    pub(crate) fn new(repositories: &Repositories, ports: &Ports, presence: Arc<Presence>, hub: Arc<Hub>) -> Self {
        Self {
            messages: Arc::clone(&repositories.messages),
            chats: Arc::clone(&repositories.chats),
            moderation: Arc::clone(&repositories.moderation),
            presence,
            hub,
            clock: Arc::clone(&ports.clock),
            ids: Arc::clone(&ports.ids),
        }
    }
}
