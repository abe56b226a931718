use super::MailService;
use crate::Failure;
use crate::ports::MailError;
use std::time::Duration;
use tertulia_domain::Timestamp;
use tertulia_domain::mail::retry_at;

/// How many mails are taken at once.
const BATCH: u32 = 20;
/// How long a batch may take before another process may try its mails: longer than a batch of time-outs.
const LEASE: Duration = Duration::from_mins(15);

impl MailService {
    /// Sends what is due; gives how many mails were tried. A mail that can't be sent now is tried again later, each time
    /// after a longer wait; one that is refused for good, or has grown too old, is given up.
    ///
    /// A mail goes out at least once: whoever dies after the mail server took it and before that is noted causes it to
    /// be sent again, with the same Message-ID.
    pub async fn deliver_due(&self) -> Result<usize, Failure> {
        let at = self.clock.now();
        let due = self.outbox.take(at, at.plus(LEASE), BATCH).await?;
        for taken in &due {
            let mail = &taken.mail;
            match self.mailer.send(mail).await {
                Ok(()) => self.outbox.sent(mail.id).await?,
                Err(MailError::Transient(error)) => {
                    let again = retry_at(taken.created_at, taken.attempts, self.clock.now());
                    tracing::warn!(mail = %mail.id, attempts = taken.attempts, %error, given_up = again.is_none(), "mail not sent");
                    self.outbox.failed(mail.id, &error.to_string(), again).await?;
                }
                Err(MailError::Permanent(error)) => {
                    tracing::error!(mail = %mail.id, %error, "mail refused");
                    self.outbox.failed(mail.id, &error.to_string(), None).await?;
                }
            }
        }
        Ok(due.len())
    }

    /// When the oldest mail that waits was caused.
    pub async fn oldest(&self) -> Result<Option<Timestamp>, Failure> {
        Ok(self.outbox.oldest().await?)
    }
}
