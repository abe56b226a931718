use crate::account::{AccountPolicy, AccountService};
use crate::chats::ChatService;
use crate::files::{FilePolicy, FileService};
use crate::mail::MailService;
use crate::messaging::MessagingService;
use crate::moderation::ModerationService;
use crate::ports::{
    Clock, EventBus, FileStore, IdGenerator, ImageInspector, Mailer, PasswordHasher, SecretGenerator, TokenIssuer,
};
use crate::realtime::Presence;
use std::sync::Arc;
use tertulia_domain::repository::{
    AccountTokenRepository, ApiKeyRepository, ChatRepository, FileRepository, Maintenance, MessageRepository,
    ModerationRepository, OutboxRepository, OverviewRepository, SessionRepository, UserRepository,
};

/// The repositories that the services work on: one database's.
#[derive(Clone)]
pub struct Repositories {
    /// The users.
    pub users: Arc<dyn UserRepository>,
    /// The sessions.
    pub sessions: Arc<dyn SessionRepository>,
    /// The chats.
    pub chats: Arc<dyn ChatRepository>,
    /// Chats as contracts list them.
    pub overviews: Arc<dyn OverviewRepository>,
    /// The messages.
    pub messages: Arc<dyn MessageRepository>,
    /// The files.
    pub files: Arc<dyn FileRepository>,
    /// The mails to be sent.
    pub outbox: Arc<dyn OutboxRepository>,
    /// The tokens that go out by mail.
    pub account_tokens: Arc<dyn AccountTokenRepository>,
    /// The API keys.
    pub api_keys: Arc<dyn ApiKeyRepository>,
    /// Blocks, reports, suspensions, audit log.
    pub moderation: Arc<dyn ModerationRepository>,
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
    /// The bytes of files.
    pub store: Arc<dyn FileStore>,
    /// File formats and thumbnails.
    pub images: Arc<dyn ImageInspector>,
    /// Mail.
    pub mailer: Arc<dyn Mailer>,
    /// The other processes.
    pub bus: Arc<dyn EventBus>,
}

/// The rules that an operator sets.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Of accounts.
    pub accounts: AccountPolicy,
    /// Of files.
    pub files: FilePolicy,
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
    /// Files.
    pub files: Arc<FileService>,
    /// Mail.
    pub mail: Arc<MailService>,
    /// Blocks, reports, suspensions, audit log.
    pub moderation: Arc<ModerationService>,
    /// Who is online.
    pub presence: Arc<Presence>,
    /// Upkeep, and whether the database is well.
    pub maintenance: Arc<dyn Maintenance>,
    /// The other processes, and whether they can be reached.
    pub bus: Arc<dyn EventBus>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Services {
    /// Puts the use cases together.
    pub fn new(repositories: Repositories, ports: Ports, policy: Policy) -> Self {
        let presence = Arc::new(Presence::new(
            Arc::clone(&repositories.sessions),
            Arc::clone(&ports.clock),
        ));
        Self {
            accounts: Arc::new(AccountService::new(
                &repositories,
                &ports,
                Arc::clone(&presence),
                policy.accounts,
            )),
            chats: Arc::new(ChatService::new(&repositories, &ports, Arc::clone(&presence))),
            messaging: Arc::new(MessagingService::new(&repositories, &ports, Arc::clone(&presence))),
            files: Arc::new(FileService::new(&repositories, &ports, policy.files)),
            mail: Arc::new(MailService::new(&repositories, &ports)),
            moderation: Arc::new(ModerationService::new(&repositories, &ports)),
            presence,
            maintenance: repositories.maintenance,
            bus: ports.bus,
            clock: ports.clock,
        }
    }
}
