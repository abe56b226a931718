//! Mails as they go out.

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::{Address, Message};
use tertulia_application::ports::MailError;
use tertulia_domain::{DisplayName, Email, Mail};
use thiserror::Error;

/// Whom mails come from.
#[derive(Debug, Clone)]
pub struct Sender(Mailbox);

/// An address that mails can't come from.
#[derive(Debug, Error)]
#[error("not an address that mail can be sent from")]
pub struct SenderError(#[source] lettre::address::AddressError);

impl Sender {
    /// An address, with a name for people to read. Bounces go there too.
    pub fn new(address: &Email, name: Option<&DisplayName>) -> Result<Self, SenderError> {
        let address = address.as_str().parse().map_err(SenderError)?;
        Ok(Self(Mailbox::new(name.map(|name| name.as_str().to_owned()), address)))
    }
}

/// Puts a mail into Internet form (RFC 5322): plain text in UTF-8, encoded so that every server takes it.
pub(crate) fn compose(sender: &Sender, mail: &Mail) -> Result<Message, MailError> {
    let to: Address = mail.to.as_str().parse().map_err(permanent)?;
    // The last line's end comes by itself.
    let text = mail.text.strip_suffix('\n').unwrap_or(&mail.text);
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    Message::builder()
        .from(sender.0.clone())
        .to(Mailbox::new(None, to))
        .subject(mail.subject.as_str())
        .message_id(Some(format!("<{}@{}>", mail.id, sender.0.email.domain())))
        // Keeps holiday notices from answering (RFC 3834, section 5).
        .raw_header(HeaderValue::new(name, "auto-generated".to_owned()))
        .singlepart(
            SinglePart::builder()
                .header(ContentType::TEXT_PLAIN)
                .body(text.to_owned()),
        )
        .map_err(permanent)
}

fn permanent(error: impl std::error::Error + Send + Sync + 'static) -> MailError {
    MailError::Permanent(error.into())
}
