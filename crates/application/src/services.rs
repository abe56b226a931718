use crate::account::{AccountService, SessionPolicy};
use crate::chats::ChatService;
use crate::messaging::MessagingService;
use crate::ports::{Clock, IdGenerator, PasswordHasher, SecretGenerator, TokenIssuer};
use crate::realtime::Presence;
use std::sync::Arc;
use tertulia_domain::repository::{ChatRepository, Maintenance, MessageRepository, SessionRepository, UserRepository};

/// The repositories that the services work on: one database's.
#[derive(Clone)]
pub struct Repositories {
    /// The users.
    pub users: Arc<dyn UserRepository>,
    /// The sessions.
    pub sessions: Arc<dyn SessionRepository>,
    /// The chats.
    pub chats: Arc<dyn ChatRepository>,
    /// The messages.
    pub messages: Arc<dyn MessageRepository>,
    /// Upkeep.
    pub maintenance: Arc<dyn Maintenance>,
}

/// Everything else that the services reach the outside through.
#[derive(Clone)]
pub struct Ports {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdGenerator>,
    /// Random secrets.
    pub secrets: Arc<dyn SecretGenerator>,
    /// Password hashing.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Access tokens.
    pub tokens: Arc<dyn TokenIssuer>,
}

/// All use cases: what a driving adapter is given.
#[derive(Clone)]
pub struct Services {
    /// Accounts, sessions and users.
    pub accounts: Arc<AccountService>,
    /// Chats and members.
    pub chats: Arc<ChatService>,
    /// Messages.
    pub messaging: Arc<MessagingService>,
    /// Who is online.
    pub presence: Arc<Presence>,
    /// Upkeep, and whether the database is well.
    pub maintenance: Arc<dyn Maintenance>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Services {
    /// Puts the use cases together.
    pub fn new(repositories: Repositories, ports: Ports, sessions: SessionPolicy) -> Self {
        let presence = Arc::new(Presence::new(
            Arc::clone(&repositories.sessions),
            Arc::clone(&ports.clock),
        ));
        Self {
            accounts: Arc::new(AccountService::new(
                &repositories,
                &ports,
                Arc::clone(&presence),
                sessions,
            )),
            chats: Arc::new(ChatService::new(&repositories, &ports, Arc::clone(&presence))),
            messaging: Arc::new(MessagingService::new(&repositories, &ports, Arc::clone(&presence))),
            presence,
            maintenance: repositories.maintenance,
            clock: ports.clock,
        }
    }
}
