use super::RepositoryError;
use crate::ids::MailId;
use crate::mail::Mail;
use crate::time::Timestamp;
use async_trait::async_trait;
use std::fmt;

/// A mail that some transaction causes; it is stored in the same one. The repository knows whom it goes to. It may hold
/// secrets, so `Debug` does not show what it says.
#[derive(Clone, PartialEq, Eq)]
pub struct MailDraft {
    /// The identifier, fresh.
    pub id: MailId,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
}

impl fmt::Debug for MailDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailDraft")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A mail that is taken for sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMail {
    /// The mail.
    pub mail: Mail,
    /// How often it has been taken, this time included.
    pub attempts: u32,
    /// When it was caused.
    pub created_at: Timestamp,
}

/// The mails that are still to be sent.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait OutboxRepository: Send + Sync {
    /// Takes up to `limit` mails that are due at `at`, the longest due first, for oneself until `until`: nobody else gets
    /// them before, and whoever dies meanwhile loses none. Of any number of workers at once no two get the same.
    async fn take(&self, at: Timestamp, until: Timestamp, limit: u32) -> Result<Vec<DueMail>, RepositoryError>;

    /// Removes a mail that was sent.
    async fn sent(&self, id: MailId) -> Result<(), RepositoryError>;

    /// Notes that a mail could not be sent, and when to try again; `None` removes it.
    async fn failed(&self, id: MailId, error: &str, retry_at: Option<Timestamp>) -> Result<(), RepositoryError>;

    /// When the oldest unsent mail was caused.
    async fn oldest(&self) -> Result<Option<Timestamp>, RepositoryError>;
}
