//! Mails in files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use tertulia_adapters_mail::{EmlMailer, Sender};
use tertulia_application::ports::{MailError, Mailer};
use tertulia_domain::{Email, Mail, MailId};
use uuid::Uuid;

fn mail() -> Mail {
    Mail {
        id: MailId::from_uuid(Uuid::from_u128(0x0192_f0c1)),
        to: Email::new("ana@example.org").unwrap(),
        subject: "Reset your password".to_owned(),
        text: "The code is 1234.\n".to_owned(),
    }
}

fn mailer(folder: &Path) -> EmlMailer {
    let address = Email::new("chat@tertulia.example").unwrap();
    EmlMailer::new(folder.to_owned(), Sender::new(&address, None).unwrap())
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn a_mail_becomes_a_file() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("data/outbox");
    let mail = mail();
    mailer(&folder).send(&mail).await.unwrap();
    assert_eq!(names(&folder), [format!("{}.eml", mail.id)]);
    let text = fs::read_to_string(folder.join(format!("{}.eml", mail.id))).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    for header in [
        "From: chat@tertulia.example".to_owned(),
        "To: ana@example.org".to_owned(),
        "Subject: Reset your password".to_owned(),
        format!("Message-ID: <{}@tertulia.example>", mail.id),
    ] {
        assert!(head.lines().any(|line| line == header), "{header} not in {head}");
    }
    assert_eq!(body, "The code is 1234.\r\n");
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("outbox");
    mailer(&folder).send(&mail()).await.unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join(&names(&folder)[0])), 0o600);
}

#[tokio::test]
async fn the_same_mail_twice_is_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let (mailer, mail) = (mailer(folder.path()), mail());
    // What a process left that was killed.
    fs::write(folder.path().join(format!(".{}.eml.part", mail.id)), "half").unwrap();
    mailer.send(&mail).await.unwrap();
    mailer.send(&mail).await.unwrap();
    assert_eq!(names(folder.path()), [format!("{}.eml", mail.id)]);
}

#[tokio::test]
async fn a_folder_that_can_not_be_is_transient() {
    let base = tempfile::tempdir().unwrap();
    fs::write(base.path().join("file"), "").unwrap();
    let sent = mailer(&base.path().join("file/outbox")).send(&mail()).await;
    assert!(matches!(sent, Err(MailError::Transient(_))), "{sent:?}");
}
