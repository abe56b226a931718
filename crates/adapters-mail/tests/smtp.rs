//! Sending mails to a real mail server, and to some that are none.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::env;
use std::fs;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tertulia_adapters_mail::{Encryption, Sender, SmtpCredentials, SmtpMailer, SmtpOptions};
use tertulia_application::ports::{MailError, Mailer};
use tertulia_domain::{DisplayName, Email, Mail, MailId};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use uuid::Uuid;

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run the tests by `cargo xtask test`, which starts a mail server");
    })
}

/// What a variable like `smtp://user:password@host:port` says.
fn options(variable_name: &str, encryption: Encryption) -> SmtpOptions {
    let url = variable(variable_name);
    let (_, rest) = url.split_once("://").unwrap();
    let (login, address) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (host, port) = address.split_once(':').unwrap();
    SmtpOptions {
        host: host.to_owned(),
        port: Some(port.parse().unwrap()),
        encryption,
        credentials: login.split_once(':').map(|(user, password)| SmtpCredentials {
            user: user.to_owned(),
            password: password.to_owned(),
        }),
        root_certificates: Some(fs::read(variable("TEST_SMTP_CA")).unwrap()),
        timeout: Duration::from_secs(20),
    }
}

fn plain() -> SmtpOptions {
    options("TEST_SMTP_URL", Encryption::None)
}

fn mailer(options: SmtpOptions) -> SmtpMailer {
    let address = Email::new("chat@tertulia.example").unwrap();
    let name = DisplayName::new("Tertulia, señores").unwrap();
    SmtpMailer::new(options, Sender::new(&address, Some(&name)).unwrap()).unwrap()
}

fn mail_to(address: &str) -> Mail {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Mail {
        // No other of the server's clients has it.
        id: MailId::from_uuid(Uuid::from_u64_pair(process::id().into(), number.into())),
        to: Email::new(address).unwrap(),
        subject: "Reset your password".to_owned(),
        text: "Open this page:\n\nhttps://chat.example/reset#token=abc=def\n".to_owned(),
    }
}

fn mail() -> Mail {
    mail_to("ana@example.org")
}

/// What the server has of a mail, once for each time it came.
fn received(mail: &Mail) -> Vec<Value> {
    let files = fs::read_dir(variable("TEST_SMTP_MAILDIR")).unwrap();
    let names = files.map(|file| file.unwrap().path());
    let id = format!("<{}@tertulia.example>", mail.id);
    names
        .filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.'))
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| {
            let mut found: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            found["raw"] = fs::read_to_string(path.with_extension("eml"))
                .unwrap_or_default()
                .into();
            found
        })
        .filter(|found| found["headers"]["Message-ID"] == id)
        .collect()
}

/// The one copy of a mail that the server has.
fn one(mail: &Mail) -> Value {
    let mut received = received(mail);
    assert_eq!(received.len(), 1, "{received:#?}");
    received.remove(0)
}

/// The lines of a text, whatever parts them, without empty ones at its end.
fn lines(text: &str) -> Vec<&str> {
    text.trim_end_matches(['\r', '\n']).lines().collect()
}

fn text_of(found: &Value) -> Vec<&str> {
    lines(found["text"].as_str().unwrap())
}

fn assert_transient(result: Result<(), MailError>) -> String {
    match result {
        Err(MailError::Transient(error)) => error.to_string(),
        other => panic!("not transient: {other:?}"),
    }
}

fn assert_permanent(result: Result<(), MailError>) -> String {
    match result {
        Err(MailError::Permanent(error)) => error.to_string(),
        other => panic!("not permanent: {other:?}"),
    }
}

#[tokio::test]
async fn a_mail_arrives_once_and_as_it_was_meant() {
    let mail = mail();
    mailer(plain()).send(&mail).await.unwrap();
    let found = one(&mail);
    assert_eq!(found["sender"], "chat@tertulia.example");
    assert_eq!(found["recipients"], serde_json::json!(["ana@example.org"]));
    assert_eq!(text_of(&found), lines(&mail.text));
    let headers = &found["headers"];
    assert_eq!(headers["From"], "\"Tertulia, señores\" <chat@tertulia.example>");
    assert_eq!(headers["To"], "ana@example.org");
    assert_eq!(headers["Subject"], "Reset your password");
    assert_eq!(headers["Auto-Submitted"], "auto-generated");
    assert_eq!(headers["MIME-Version"], "1.0");
    assert_eq!(headers["Content-Type"], "text/plain; charset=\"utf-8\"");
    assert!(headers["Date"].as_str().unwrap().ends_with(" +0000"), "{headers}");
}

#[tokio::test]
async fn any_text_survives() {
    let mailer = mailer(plain());
    let long = "word ".repeat(500);
    for (subject, text) in [
        ("¿Olvidó su contraseña? 忘了密码 🎉", "¡Hola, Ana!\n\n你好 🎉\n"),
        ("dots", "a\n.\nb\n..\n.c\n"),
        ("two  spaces", long.as_str()),
        (long.trim(), "QUIT\r\n.\r\nMAIL FROM:<a@b>\r\n"),
        ("x", "no line break at the end"),
        ("x", "tab\tand trailing space \n"),
    ] {
        let mail = Mail {
            subject: subject.to_owned(),
            text: text.to_owned(),
            ..mail()
        };
        mailer.send(&mail).await.unwrap();
        let found = one(&mail);
        assert_eq!(found["headers"]["Subject"], subject);
        assert_eq!(text_of(&found), lines(text));
        let raw = found["raw"].as_str().unwrap();
        assert!(raw.is_ascii(), "{raw}");
        assert!(raw.lines().all(|line| line.len() <= 998), "{raw}");
    }
}

#[tokio::test]
async fn a_subject_brings_no_headers_along() {
    let mail = Mail {
        subject: "Hello\r\nBcc: eve@example.org\r\n\r\nbody".to_owned(),
        ..mail()
    };
    mailer(plain()).send(&mail).await.unwrap();
    let found = one(&mail);
    assert_eq!(found["recipients"], serde_json::json!(["ana@example.org"]));
    assert_eq!(found["headers"]["Bcc"], Value::Null);
    assert_eq!(text_of(&found), lines(&mail.text));
}

#[tokio::test]
async fn what_the_server_puts_off_is_transient() {
    let mailer = mailer(plain());
    for address in ["reply-421@example.org", "reply-451@example.org", "data-452@example.org"] {
        let mail = mail_to(address);
        assert_transient(mailer.send(&mail).await);
        assert!(received(&mail).is_empty());
    }
    mailer.send(&mail()).await.unwrap();
}

#[tokio::test]
async fn what_the_server_refuses_is_permanent() {
    let mailer = mailer(plain());
    for address in ["reply-550@example.org", "reply-553@example.org", "data-554@example.org"] {
        let mail = mail_to(address);
        let error = assert_permanent(mailer.send(&mail).await);
        assert!(error.contains("as you ask"), "{error}");
        assert!(received(&mail).is_empty());
    }
    mailer.send(&mail()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_transient() {
    let port = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut options = plain();
    options.port = Some(port);
    assert_transient(mailer(options.clone()).send(&mail()).await);
    options.host = "no-such-host.invalid".to_owned();
    assert_transient(mailer(options).send(&mail()).await);
}

/// A server that says its lines, one for each that it hears, and hangs up. Gives what it has heard.
async fn server(lines: &'static [&'static str]) -> (SmtpOptions, JoinSet<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = SmtpOptions {
        port: Some(listener.local_addr().unwrap().port()),
        timeout: Duration::from_secs(2),
        ..plain()
    };
    let mut task = JoinSet::new();
    task.spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let (from, mut to) = socket.into_split();
        let mut heard = BufReader::new(from).lines();
        let mut words = Vec::new();
        for line in lines {
            to.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
            match heard.next_line().await {
                Ok(Some(line)) => words.push(line),
                _ => break,
            }
        }
        words
    });
    (options, task)
}

#[tokio::test]
async fn a_server_that_wants_no_mail_from_us_is_transient() {
    for lines in [
        &["554 no service for you"][..],
        &["421 too many connections"],
        &["220 hello", "550 who are you"],
        &["220 hello", "250 hello", "530 who are you"],
        &["HTTP/1.1 400 Bad Request"],
        &[""],
    ] {
        let (options, _server) = server(lines).await;
        assert_transient(mailer(options).send(&mail()).await);
    }
}

#[tokio::test]
async fn an_address_that_the_server_can_not_read_is_permanent() {
    let (options, mut server) = server(&["220 hello", "250 hello", "221 bye"]).await;
    assert_permanent(mailer(options).send(&mail_to("josé@example.org")).await);
    let heard = server.join_next().await.unwrap().unwrap();
    assert!(heard.iter().all(|line| !line.starts_with("MAIL")), "{heard:?}");
    // Others can.
    let mail = mail_to("josé@example.org");
    mailer(plain()).send(&mail).await.unwrap();
    assert_eq!(one(&mail)["recipients"], serde_json::json!(["josé@example.org"]));
}

#[tokio::test]
async fn tls_and_a_login_are_used_when_asked_for() {
    for (name, encryption) in [
        ("TEST_SMTP_STARTTLS_URL", Encryption::StartTls),
        ("TEST_SMTP_TLS_URL", Encryption::Tls),
    ] {
        let mail = mail();
        mailer(options(name, encryption)).send(&mail).await.unwrap();
        let found = one(&mail);
        assert_eq!(
            (&found["encrypted"], &found["authenticated"]),
            (&true.into(), &true.into()),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_login_that_is_refused_is_transient() {
    for (name, encryption) in [
        ("TEST_SMTP_STARTTLS_URL", Encryption::StartTls),
        ("TEST_SMTP_TLS_URL", Encryption::Tls),
    ] {
        let mut options = options(name, encryption);
        options.credentials.as_mut().unwrap().password = "wrong".to_owned();
        let error = assert_transient(mailer(options.clone()).send(&mail()).await);
        assert!(error.contains("535"), "{error}");
        options.credentials = None;
        let error = assert_transient(mailer(options).send(&mail()).await);
        assert!(error.contains("530"), "{error}");
    }
    // One who doesn't know what a login is.
    let mut options = plain();
    options.credentials = Some(SmtpCredentials {
        user: "ana".to_owned(),
        password: "x".to_owned(),
    });
    assert_transient(mailer(options).send(&mail()).await);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_transient() {
    for (name, encryption) in [
        ("TEST_SMTP_STARTTLS_URL", Encryption::StartTls),
        ("TEST_SMTP_TLS_URL", Encryption::Tls),
    ] {
        let mut options = options(name, encryption);
        options.root_certificates = None;
        let mail = mail();
        let error = assert_transient(mailer(options).send(&mail).await);
        assert!(error.contains("certificate"), "{error}");
        assert!(received(&mail).is_empty());
    }
}

#[tokio::test]
async fn without_the_tls_that_is_asked_for_nothing_is_sent() {
    let mail = mail();
    let mut options = plain();
    options.encryption = Encryption::StartTls;
    assert_transient(mailer(options.clone()).send(&mail).await);
    options.encryption = Encryption::Tls;
    assert_transient(mailer(options).send(&mail).await);
    assert!(received(&mail).is_empty());
}

#[test]
fn bad_certificates_are_told_at_once() {
    let mut options = plain();
    options.encryption = Encryption::Tls;
    options.root_certificates = Some(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n".to_vec());
    let sender = Sender::new(&Email::new("chat@tertulia.example").unwrap(), None).unwrap();
    assert!(SmtpMailer::new(options, sender).is_err());
}

#[test]
fn passwords_are_not_shown() {
    let options = options("TEST_SMTP_TLS_URL", Encryption::Tls);
    let password = options.credentials.clone().unwrap().password;
    assert!(!format!("{options:?}").contains(&password));
    assert!(!format!("{:?}", mailer(options)).contains(&password));
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let mailer = mailer(plain());
    let mails = [mail(), mail(), mail()];
    for mail in &mails {
        mailer.send(mail).await.unwrap();
    }
    let sessions = mails.map(|mail| one(&mail)["session"].clone());
    assert!(sessions.iter().all(|session| *session == sessions[0]), "{sessions:?}");
}

#[tokio::test]
async fn a_connection_that_was_closed_is_not() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = plain();
    options.port = Some(listener.local_addr().unwrap().port());
    let mut server = JoinSet::new();
    server.spawn(async move {
        for _ in 0..2 {
            take_one_mail(&listener).await;
        }
    });
    let mailer = mailer(options);
    mailer.send(&mail()).await.unwrap();
    mailer.send(&mail()).await.unwrap();
    server.join_next().await.unwrap().unwrap();
}

/// Serves one client, and hangs up when it has handed over a mail.
async fn take_one_mail(listener: &TcpListener) {
    let (socket, _) = listener.accept().await.unwrap();
    let (from, mut to) = socket.into_split();
    let mut heard = BufReader::new(from).lines();
    to.write_all(b"220 hello\r\n").await.unwrap();
    let mut within_mail = false;
    while let Some(line) = heard.next_line().await.unwrap() {
        let answer = match line.as_str() {
            "." => "250 kept\r\n",
            _ if within_mail => continue,
            "DATA" => "354 go on\r\n",
            _ => "250 yes\r\n",
        };
        within_mail = line == "DATA";
        to.write_all(answer.as_bytes()).await.unwrap();
        if line == "." {
            break;
        }
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let mut options = plain();
    options.timeout = Duration::from_secs(2);
    let mailer = mailer(options);
    let first = mail();
    mailer.send(&first).await.unwrap();
    let start = Instant::now();
    assert_transient(mailer.send(&mail_to("hang@example.org")).await);
    assert!(start.elapsed() < Duration::from_secs(10));
    // The next mail is not answered with what the last one was waiting for.
    assert_permanent(mailer.send(&mail_to("reply-550@example.org")).await);
    let last = mail();
    mailer.send(&last).await.unwrap();
    assert_ne!(one(&first)["session"], one(&last)["session"]);
}

#[tokio::test]
async fn nobody_has_to_wait() {
    let mailer = mailer(plain());
    mailer.send(&mail()).await.unwrap();
    let hanging = mail_to("hang@example.org");
    let short = tokio::time::timeout(Duration::from_millis(200), mailer.send(&hanging)).await;
    assert!(short.is_err());
    let last = mail();
    mailer.send(&last).await.unwrap();
    one(&last);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_mails_at_once_arrive_once_each() {
    let mailer = Arc::new(mailer(options("TEST_SMTP_STARTTLS_URL", Encryption::StartTls)));
    let mut sending = JoinSet::new();
    for _ in 0..12 {
        let mailer = Arc::clone(&mailer);
        sending.spawn(async move {
            let mail = mail();
            mailer.send(&mail).await.unwrap();
            mail
        });
    }
    for mail in sending.join_all().await {
        one(&mail);
    }
}
