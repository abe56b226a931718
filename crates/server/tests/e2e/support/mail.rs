use super::{eventually, value};
use serde_json::{Value, json};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use tertulia_server::config::Settings;

/// Where mails arrive, a file a mail.
pub(crate) struct Maildir(PathBuf);

impl Maildir {
    /// That of a server without a mail server.
    pub(crate) fn of(data: &Path) -> Self {
        Self(data.join("outbox"))
    }

    /// That of the mail server that `cargo xtask test` starts; other tests' mails arrive there too.
    pub(crate) fn of_mail_server() -> Self {
        Self(variable("TEST_SMTP_MAILDIR").into())
    }

    /// The mails to that address that are there now.
    pub(crate) fn to(&self, address: &str) -> Vec<String> {
        let Ok(entries) = self.0.read_dir() else {
            return Vec::new();
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        let mails = paths.filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'));
        let wanted = format!("To: {address}");
        mails
            // It may have been renamed or removed meanwhile.
            .filter_map(|path| fs::read_to_string(path).ok())
            .filter(|mail| mail.lines().any(|line| line.trim() == wanted))
            .collect()
    }

    /// What the test mail server knows of how the mail to that address came.
    pub(crate) async fn handover_to(&self, address: &str) -> Value {
        eventually("a mail's handover", async || {
            let paths = self.0.read_dir().unwrap().map(|entry| entry.unwrap().path());
            let told = paths.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
            told.filter_map(|path| serde_json::from_slice(&fs::read(path).ok()?).ok())
                .find(|handover: &Value| handover["recipients"] == json!([address]))
        })
        .await
    }

    /// Waits for the only mail to that address.
    pub(crate) async fn only_one_to(&self, address: &str) -> String {
        let mut mails = eventually("a mail", async || {
            Some(self.to(address)).filter(|mails| !mails.is_empty())
        })
        .await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }
}

/// The code that stands on a line of its own.
pub(crate) fn token_in(mail: &str) -> String {
    let is_token = |line: &&str| {
        line.len() == 43
            && line
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let token = mail.lines().map(str::trim).find(is_token);
    token.unwrap_or_else(|| panic!("no token in {mail}")).to_owned()
}

/// One of the test mail server's three doors.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MailUrl {
    Plain,
    StartTls,
    Tls,
}

impl MailUrl {
    /// As the setting wants it.
    pub(crate) fn url(self) -> String {
        match self {
            Self::Plain => variable("TEST_SMTP_URL").replacen("smtp://", "smtp+insecure://", 1),
            Self::StartTls => variable("TEST_SMTP_STARTTLS_URL"),
            Self::Tls => variable("TEST_SMTP_TLS_URL"),
        }
    }

    /// Has a server send its mails there.
    pub(crate) fn set(self, settings: &mut Settings) {
        settings.smtp_url = value(&self.url());
        settings.smtp_ca = value(&variable("TEST_SMTP_CA"));
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run the tests by `cargo xtask test`, which starts a mail server")
    })
}
