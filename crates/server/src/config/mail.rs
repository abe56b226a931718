use super::{ConfigError, Mailbox, MailboxError, Settings, SmtpUrl, WebUrl};
use std::fmt;
use std::path::PathBuf;

/// How mails go out.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The mail server; without one mails become files.
    pub server: Option<SmtpUrl>,
    /// A certificate authority to trust besides the system's: a file in PEM.
    pub authority: Option<PathBuf>,
    /// Whom they come from.
    pub from: Mailbox,
}

impl MailConfig {
    pub(super) fn resolve(settings: &Settings) -> Result<Self, ConfigError> {
        let server = settings.smtp_url.as_ref().map(|url| SmtpUrl::parse(url.expose()));
        let from = settings.mail_from.clone();
        Ok(Self {
            server: server.transpose()?,
            authority: settings.smtp_ca.clone(),
            from: from.map_or_else(|| default_sender(settings.public_url.as_ref()), Ok)?,
        })
    }
}

/// `tertulia` at the service's own host, if that has a name.
fn default_sender(public_url: Option<&WebUrl>) -> Result<Mailbox, MailboxError> {
    let at = |host: &str| format!("tertulia@{host}").parse();
    let named = public_url.and_then(WebUrl::host_name).and_then(|host| at(host).ok());
    named.map_or_else(|| at("localhost"), Ok)
}

/// As lines of a configuration file, without the password.
impl fmt::Display for MailConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(server) = &self.server {
            writeln!(f, "smtp_url = \"{server}\"")?;
        }
        if let Some(authority) = &self.authority {
            writeln!(f, "smtp_ca = {:?}", authority.display().to_string())?;
        }
        writeln!(f, "mail_from = \"{}\"", self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_come_from_the_service_itself() {
        for (url, sender) in [
            (Some("https://chat.example.org/app"), "tertulia@chat.example.org"),
            (Some("http://127.0.0.1:8080"), "tertulia@localhost"),
            (Some("http://[::1]:8080"), "tertulia@localhost"),
            (None, "tertulia@localhost"),
        ] {
            let url: Option<WebUrl> = url.map(|url| url.parse().unwrap());
            assert_eq!(default_sender(url.as_ref()).unwrap().to_string(), sender);
        }
    }
}
