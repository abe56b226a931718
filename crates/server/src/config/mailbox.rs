use std::fmt;
use std::str::FromStr;
use tertulia_domain::{DisplayName, Email};
use thiserror::Error;

/// Who mails come from: an address, perhaps with a name before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// What mail programs show.
    pub name: Option<DisplayName>,
    /// The address.
    pub address: Email,
}

/// A text that is no mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be ADDRESS or NAME <ADDRESS>, like Tertulia <chat@example.org>")]
pub struct MailboxError;

impl FromStr for Mailbox {
    type Err = MailboxError;

    fn from_str(text: &str) -> Result<Self, MailboxError> {
        let (name, address) = match text.strip_suffix('>').map(|rest| rest.rsplit_once('<')) {
            Some(Some((name, address))) => (name.trim(), address),
            Some(None) => return Err(MailboxError),
            None => ("", text),
        };
        let name = match name {
            "" => None,
            name if name.contains(['"', '\\', '<', '>']) => return Err(MailboxError),
            name => Some(DisplayName::new(name).map_err(|_| MailboxError)?),
        };
        Ok(Self {
            name,
            address: Email::new(address).map_err(|_| MailboxError)?,
        })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} <{}>", name.as_str(), self.address.as_str()),
            None => f.write_str(self.address.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes() {
        for text in [
            "chat@example.org",
            "Tertulia <chat@example.org>",
            "Café, bar <c@localhost>",
        ] {
            assert_eq!(text.parse::<Mailbox>().unwrap().to_string(), text);
        }
        assert_eq!("<a@b.c>".parse::<Mailbox>().unwrap().to_string(), "a@b.c");
        for bad in [
            "",
            "nobody",
            "Name <>",
            "a@b.c>",
            "Name <a@b.c",
            "a\nb <a@b.c>",
            "\"x\" <a@b.c>",
            "x <y> <a@b.c>",
        ] {
            assert_eq!(bad.parse::<Mailbox>(), Err(MailboxError), "{bad:?}");
        }
    }
}
