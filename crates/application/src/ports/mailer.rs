use crate::BoxError;
use async_trait::async_trait;
use tertulia_domain::Mail;
use thiserror::Error;

/// Why a mail was not sent.
#[derive(Debug, Error)]
pub enum MailError {
    /// The mail server can't be reached or asks to come back later.
    #[error("not now")]
    Transient(#[source] BoxError),
    /// The mail server refuses this mail for good.
    #[error("refused")]
    Permanent(#[source] BoxError),
}

/// Sends mails.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Hands a mail over to whoever delivers it. Afterwards it is theirs.
    async fn send(&self, mail: &Mail) -> Result<(), MailError>;
}
