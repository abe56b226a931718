//! Handing mails to a mail server.

mod dialer;
mod options;

pub use options::{Encryption, SmtpCredentials, SmtpOptions, SmtpSetupError};

use crate::message::{Sender, compose};
use async_trait::async_trait;
use dialer::Dialer;
use lettre::Message;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tertulia_application::ports::{MailError, Mailer};
use tertulia_domain::Mail;

/// Connections that are kept for the next mail at the most.
const KEPT: usize = 2;
/// How long they are of use. Servers hang up after five minutes at the earliest (RFC 5321, section 4.5.3.2.7).
const KEPT_FOR: Duration = Duration::from_mins(1);

const TOO_SLOW: &str = "the mail server did not take the mail in time";

/// Hands mails to a mail server. A connection on which that went well is used again.
pub struct SmtpMailer {
    dialer: Dialer,
    timeout: Duration,
    sender: Sender,
    kept: Mutex<Vec<Kept>>,
}

/// A connection that waits for the next mail, and since when.
struct Kept {
    connection: AsyncSmtpConnection,
    since: Instant,
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer")
            .field("dialer", &self.dialer)
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}

impl SmtpMailer {
    /// Prepares to send; connects with the first mail.
    pub fn new(options: SmtpOptions, sender: Sender) -> Result<Self, SmtpSetupError> {
        Ok(Self {
            timeout: options.timeout,
            dialer: Dialer::new(options).map_err(SmtpSetupError)?,
            sender,
            kept: Mutex::default(),
        })
    }

    /// A conversation that fails, or that nobody waits for any more, takes its connection along: who knows where it is.
    async fn hand_over(&self, message: Message) -> Result<(), MailError> {
        let mut connection = match self.take().await {
            Some(connection) => connection,
            // Whatever a server says before it hears of a mail is not about the mail.
            None => self.dialer.connect().await.map_err(transient)?,
        };
        let sent = connection.send(message.envelope(), &message.formatted()).await;
        sent.map_err(classify)?;
        self.keep(connection);
        Ok(())
    }

    /// A kept connection that still works.
    async fn take(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let Kept { mut connection, since } = self.kept().pop()?;
            if since.elapsed() < KEPT_FOR && connection.test_connected().await {
                return Some(connection);
            }
        }
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut kept = self.kept();
        kept.retain(|kept| kept.since.elapsed() < KEPT_FOR);
        if kept.len() < KEPT {
            let since = Instant::now();
            kept.push(Kept { connection, since });
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = compose(&self.sender, mail)?;
        tokio::time::timeout(self.timeout, self.hand_over(message))
            .await
            .unwrap_or_else(|_| Err(MailError::Transient(TOO_SLOW.into())))
    }
}

/// Only a refusal of this very mail is for good. Everything else is for somebody to mend, and the mail waits for it.
fn classify(error: SmtpError) -> MailError {
    let refused = error.is_permanent() && !error.status().is_some_and(|code| is_about_us(code.into()));
    // The recipient's address isn't ASCII, and the server takes only those.
    let unspeakable = error.is_client() && error.to_string().contains("SMTPUTF8");
    if refused || unspeakable {
        MailError::Permanent(error.into())
    } else {
        transient(error)
    }
}

/// Answers to who we say we are, or that we don't say it (RFC 4954, section 6).
const fn is_about_us(status: u16) -> bool {
    matches!(status, 530 | 534 | 535 | 538)
}

fn transient(error: SmtpError) -> MailError {
    MailError::Transient(error.into())
}
