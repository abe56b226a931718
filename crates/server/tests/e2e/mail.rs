//! Mails: resetting a password, proving an address, and that no mail is lost.

use crate::support::{
    Answer, Database, MailUrl, Maildir, PASSWORD, Process, Server, eventually, on_each_database, token_in,
};
use serde_json::json;
use std::net::SocketAddr;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;

on_each_database! {
    a_forgotten_password_is_reset_by_mail
    only_the_newest_token_is_good
    mails_go_through_a_mail_server
    a_mail_survives_the_death_of_server_and_mail_server
    a_mail_server_that_hangs_holds_nobody_up
    an_address_is_proved_by_mail
    an_address_changes_when_it_is_proved
    the_age_of_the_outbox_is_measured
}

/// An address that no other test has.
fn address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("ana-{}-{number}@example.org", process::id())
}

async fn ask_for_reset(server: &crate::support::Api, email: &str) {
    let asked = server
        .post("/auth/password/reset-request", json!({"email": email}))
        .await;
    assert_eq!(asked.status, 202, "{asked:?}");
}

async fn reset(server: &Server, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "password": password});
    server.post("/auth/password/reset", body).await
}

async fn a_forgotten_password_is_reset_by_mail(database: Database) {
    let server = Server::on(&database).await;
    let (email, outbox) = (address(), Maildir::of(server.data()));
    let ana = server.register_with_email("ana", &email).await;
    let nobody = address();
    ask_for_reset(&server, &nobody).await;
    ask_for_reset(&server, &email.to_uppercase()).await;
    let mail = outbox.only_one_to(&email).await;
    let token = token_in(&mail);
    // Quoted-printable: lines are wrapped.
    let text = mail.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
    let link = format!("{}/reset-password#token={token}", server.base());
    assert!(text.contains(&link), "{mail}");

    let bad = reset(&server, &token, "short").await;
    assert_eq!(bad.invalid_fields(), ["password"]);
    for bad in ["", "nonsense", &token.to_lowercase(), &"A".repeat(43)] {
        let refused = reset(&server, bad, "another horse").await;
        assert!([401, 422].contains(&refused.status), "{bad}: {refused:?}");
    }
    ana.get("/me").await.is(200);

    reset(&server, &token, "another horse").await.is(204);
    ana.get("/me").await.problem(401, "unauthenticated");
    server.refresh(&ana.refresh).await.problem(401, "invalid_credentials");
    let old = server.log_in_with(&email, PASSWORD).await;
    old.problem(401, "invalid_credentials");
    server.log_in_with(&email, "another horse").await.is(200);
    let again = reset(&server, &token, "a third horse").await;
    again.problem(401, "invalid_credentials");
    assert_eq!(outbox.to(&nobody).len(), 0);
}

async fn only_the_newest_token_is_good(database: Database) {
    let server = Server::on(&database).await;
    let (email, outbox) = (address(), Maildir::of(server.data()));
    server.register_with_email("ana", &email).await;
    ask_for_reset(&server, &email).await;
    let first = token_in(&outbox.only_one_to(&email).await);
    ask_for_reset(&server, &email).await;
    let second = eventually("another mail", async || {
        let tokens = outbox.to(&email).into_iter().map(|mail| token_in(&mail));
        tokens.into_iter().find(|token| *token != first)
    })
    .await;
    let refused = reset(&server, &first, "another horse").await;
    refused.problem(401, "invalid_credentials");
    reset(&server, &second, "another horse").await.is(204);
}

async fn mails_go_through_a_mail_server(database: Database) {
    let mails = Maildir::of_mail_server();
    for (door, name) in [
        (MailUrl::Plain, "plain"),
        (MailUrl::StartTls, "starttls"),
        (MailUrl::Tls, "tls"),
    ] {
        let server = Server::with(&database, |settings| {
            door.set(settings);
            settings.mail_from = "Tertulia <chat@example.org>".parse().ok();
        })
        .await;
        let email = address();
        let ana = server.register_with_email(name, &email).await;
        ask_for_reset(&server, &email).await;
        let mail = mails.only_one_to(&email).await;
        let handover = mails.handover_to(&email).await;
        assert_eq!(handover["sender"], "chat@example.org");
        let private = !matches!(door, MailUrl::Plain);
        for what in ["encrypted", "authenticated"] {
            assert_eq!(handover[what], private, "{door:?}: {handover}");
        }
        reset(&server, &token_in(&mail), "another horse").await.is(204);
        ana.get("/me").await.problem(401, "unauthenticated");
        assert!(!server.data().join("outbox").exists());
    }
}

async fn a_mail_survives_the_death_of_server_and_mail_server(database: Database) {
    // An address at which nobody listens, and which nobody else gets meanwhile.
    let nowhere = TcpSocket::new_v4().unwrap();
    nowhere.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let dead = format!("--smtp-url=smtp+insecure://{}", nowhere.local_addr().unwrap());
    let data = tempfile::tempdir().unwrap();
    let first = Process::start_with(&database, data.path(), &[&dead, "--verify-email"]);
    let emails = [address(), address(), address()];
    let begun = Instant::now();
    for (n, email) in emails.iter().enumerate() {
        first.register_with_email(&format!("user{n}"), email).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    first.kill();

    let alive = format!("--smtp-url={}", MailUrl::Plain.url());
    let second = Process::start_with(&database, data.path(), &[&alive, "--verify-email"]);
    let mails = Maildir::of_mail_server();
    for email in &emails {
        let mail = mails.only_one_to(email).await;
        let verified = second
            .post("/auth/email/verify", json!({"token": token_in(&mail)}))
            .await;
        assert!([200, 204].contains(&verified.status), "{verified:?}");
    }
    // What was sent is not sent again.
    second.kill();
    let third = Process::start_with(&database, data.path(), &[&alive]);
    let last = address();
    third.register_with_email("last", &last).await;
    ask_for_reset(&third, &last).await;
    mails.only_one_to(&last).await;
    for email in &emails {
        assert_eq!(mails.to(email).len(), 1);
    }
}

async fn a_mail_server_that_hangs_holds_nobody_up(database: Database) {
    // Connections to it come about, and nobody answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let hanging = format!("smtp://{}", listener.local_addr().unwrap());
    let server = Server::with(&database, |settings| {
        settings.smtp_url = hanging.parse().ok();
        settings.verify_email = Some(true);
        settings.shutdown_timeout = "1s".parse().ok();
    })
    .await;
    let begun = Instant::now();
    let ana = server.register_with_email("ana", &address()).await;
    ask_for_reset(&server, &address()).await;
    ana.get("/me").await.is(200);
    server.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    drop(listener);
}

async fn an_address_is_proved_by_mail(database: Database) {
    let server = Server::with(&database, |settings| settings.verify_email = Some(true)).await;
    let (email, outbox) = (address(), Maildir::of(server.data()));
    let ana = server.register_with_email("ana", &email).await;
    assert_eq!(ana.get("/me").await.is(200)["email_verified"], false);
    let token = token_in(&outbox.only_one_to(&email).await);
    let refused = server
        .post("/auth/email/verify", json!({"token": "A".repeat(43)}))
        .await;
    refused.problem(401, "invalid_credentials");
    let verified = server.post("/auth/email/verify", json!({"token": token})).await;
    assert!([200, 204].contains(&verified.status), "{verified:?}");
    let me = ana.get("/me").await.is(200);
    assert_eq!((&me["email"], &me["email_verified"]), (&json!(email), &json!(true)));
    let again = server.post("/auth/email/verify", json!({"token": token})).await;
    again.problem(401, "invalid_credentials");
}

async fn an_address_changes_when_it_is_proved(database: Database) {
    let server = Server::with(&database, |settings| settings.verify_email = Some(true)).await;
    let ana = server.register("ana").await;
    let (email, outbox) = (address(), Maildir::of(server.data()));
    let changed = ana
        .patch("/me", json!({"email": email, "display_name": "Ana"}))
        .await
        .is(200);
    assert_eq!(
        (&changed["email"], &changed["pending_email"], &changed["display_name"]),
        (&json!(null), &json!(email), &json!("Ana"))
    );
    server
        .log_in_with(&email, PASSWORD)
        .await
        .problem(401, "invalid_credentials");
    let token = token_in(&outbox.only_one_to(&email).await);
    let verified = server.post("/auth/email/verify", json!({"token": token})).await;
    assert!([200, 204].contains(&verified.status), "{verified:?}");
    assert_eq!(ana.get("/me").await.is(200)["email"], json!(email));
    server.log_in_with(&email, PASSWORD).await.is(200);
}

async fn the_age_of_the_outbox_is_measured(database: Database) {
    let nowhere = TcpSocket::new_v4().unwrap();
    nowhere.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let dead = format!("--smtp-url=smtp+insecure://{}", nowhere.local_addr().unwrap());
    let data = tempfile::tempdir().unwrap();
    let server = Process::start_with(&database, data.path(), &[&dead]);
    let email = address();
    server.register_with_email("ana", &email).await;
    let age = async || {
        let metrics = server.get_root("/metrics").await;
        metrics.metric::<f64>("tertulia_outbox_oldest_age_seconds")
    };
    ask_for_reset(&server, &email).await;
    eventually("a mail that waits", async || (age().await > 0.0).then_some(())).await;
}
