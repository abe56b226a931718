use crate::Backend;
use crate::fixture::*;
use futures_util::future::join_all;
use std::collections::BTreeSet;
use tertulia_domain::repository::{DueMail, InsertUserError, MailDraft, NewUser};
use tertulia_domain::{Mail, MailId};

/// A user who is sent a mail of that subject at that time; gives its id.
async fn cause(b: &Backend, name: &str, subject: &str, now: i64) -> MailId {
    let draft = mail(subject);
    let id = draft.id;
    let address = email(&format!("{name}@example.org"));
    let new = NewUser { email: Some(address), mail: Some(draft), at: at(now), ..new_user(name) };
    b.users.insert(new).await.unwrap();
    id
}

async fn take(b: &Backend, now: i64, until: i64, limit: u32) -> Vec<DueMail> {
    b.outbox.take(at(now), at(until), limit).await.unwrap()
}

/// The ids of what is taken, and how often that was.
async fn taken(b: &Backend, now: i64, until: i64) -> Vec<(MailId, u32)> {
    take(b, now, until, 100).await.into_iter().map(|due| (due.mail.id, due.attempts)).collect()
}

pub async fn a_mail_is_what_was_given(b: Backend) {
    assert_eq!(take(&b, LIFE, LIFE + 1, 10).await, []);
    let draft =
        MailDraft { id: mail_id(), subject: "Willkommen, 'Ana' 😀".to_owned(), text: "a\n\n\"b\"\\ %\n".to_owned() };
    let new =
        NewUser { email: Some(email("Ana@Example.org")), mail: Some(draft.clone()), at: at(7), ..new_user("ana") };
    b.users.insert(new).await.unwrap();
    let mail = Mail { id: draft.id, to: email("Ana@Example.org"), subject: draft.subject, text: draft.text };
    assert_eq!(take(&b, 6, 100, 10).await, [], "not before it was caused");
    assert_eq!(take(&b, 7, 100, 10).await, [DueMail { mail, attempts: 1, created_at: at(7) }]);
}

pub async fn what_is_refused_causes_no_mail(b: Backend) {
    b.user("ana").await;
    let new = NewUser { email: Some(email("ana@example.org")), mail: Some(mail("hello")), ..new_user("Ana") };
    assert_matches!(b.users.insert(new).await, Err(InsertUserError::UsernameTaken));
    assert_eq!(take(&b, LIFE, LIFE + 1, 10).await, []);
    assert_eq!(b.outbox.oldest().await.unwrap(), None);
}

pub async fn the_longest_due_is_taken_first(b: Backend) {
    let mut ids = Vec::new();
    for (n, now) in [5, 1, 4, 2, 3].into_iter().enumerate() {
        ids.push((now, cause(&b, &format!("user{n}"), "hello", now).await));
    }
    ids.sort_unstable();
    let ids: Vec<_> = ids.into_iter().map(|(_, id)| id).collect();
    let got = |mails: Vec<DueMail>| mails.into_iter().map(|due| due.mail.id).collect::<Vec<_>>();
    assert_eq!(got(take(&b, 4, 100, 2).await), ids[..2]);
    assert_eq!(got(take(&b, 4, 100, 10).await), ids[2..4], "the last one is not due yet");
    assert_eq!(got(take(&b, 5, 100, 10).await), ids[4..]);
    assert_eq!(take(&b, 99, 200, 10).await, []);
}

pub async fn a_mail_is_somebodys_until_the_time_they_said(b: Backend) {
    let id = cause(&b, "ana", "hello", 0).await;
    assert_eq!(taken(&b, 10, 20).await, [(id, 1)]);
    assert_eq!(taken(&b, 19, 40).await, []);
    // Whoever took it has died.
    assert_eq!(taken(&b, 20, 30).await, [(id, 2)]);
    assert_eq!(taken(&b, 29, 40).await, []);
    assert_eq!(taken(&b, 30, 40).await, [(id, 3)]);
}

pub async fn a_mail_that_was_sent_is_gone(b: Backend) {
    let [first, second] = [cause(&b, "ana", "hello", 0).await, cause(&b, "luis", "hello", 1).await];
    taken(&b, 10, 20).await;
    b.outbox.sent(first).await.unwrap();
    assert_eq!(taken(&b, 50, 60).await, [(second, 2)]);
    b.outbox.sent(second).await.unwrap();
    assert_eq!(taken(&b, LIFE, LIFE + 1).await, []);
    // Somebody else may have been quicker.
    b.outbox.sent(first).await.unwrap();
    b.outbox.sent(mail_id()).await.unwrap();
}

pub async fn a_mail_that_failed_comes_again_when_it_should(b: Backend) {
    let id = cause(&b, "ana", "hello", 0).await;
    taken(&b, 10, 1_000).await;
    b.outbox.failed(id, "no route to 'host'", Some(at(50))).await.unwrap();
    assert_eq!(taken(&b, 49, 60).await, []);
    let again = take(&b, 50, 60, 10).await;
    assert_eq!((again[0].mail.id, again[0].attempts, again[0].created_at), (id, 2, at(0)));
    b.outbox.failed(id, &"long ".repeat(10_000), Some(at(70))).await.unwrap();
    // What is due since earlier comes first, whenever it was caused.
    let other = cause(&b, "luis", "hello", 65).await;
    assert_eq!(taken(&b, 80, 90).await, [(other, 1), (id, 3)]);
}

pub async fn a_mail_that_is_given_up_is_gone(b: Backend) {
    let [first, second] = [cause(&b, "ana", "hello", 0).await, cause(&b, "luis", "hello", 1).await];
    taken(&b, 10, 20).await;
    b.outbox.failed(first, "no such mailbox", None).await.unwrap();
    assert_eq!(taken(&b, LIFE, LIFE + 1).await, [(second, 2)]);
    b.outbox.failed(first, "late", Some(at(30))).await.unwrap();
    b.outbox.failed(mail_id(), "unknown", Some(at(30))).await.unwrap();
    assert_eq!(taken(&b, LIFE, LIFE + 1).await, []);
}

pub async fn the_oldest_mail_tells_its_age(b: Backend) {
    assert_eq!(b.outbox.oldest().await.unwrap(), None);
    let young = cause(&b, "ana", "hello", 9).await;
    let old = cause(&b, "luis", "hello", 3).await;
    assert_eq!(b.outbox.oldest().await.unwrap(), Some(at(3)));
    // Taken is not sent; put off is as old as it was.
    taken(&b, 10, 20).await;
    b.outbox.failed(old, "not now", Some(at(500))).await.unwrap();
    assert_eq!(b.outbox.oldest().await.unwrap(), Some(at(3)));
    b.outbox.sent(old).await.unwrap();
    assert_eq!(b.outbox.oldest().await.unwrap(), Some(at(9)));
    b.outbox.failed(young, "refused", None).await.unwrap();
    assert_eq!(b.outbox.oldest().await.unwrap(), None);
}

pub async fn of_many_workers_no_two_get_the_same_mail(b: Backend) {
    let mut all = BTreeSet::new();
    for n in 0..30 {
        all.insert(cause(&b, &format!("user{n}"), "hello", n % 7).await);
    }
    for round in 0..3 {
        let now = 100 * (round + 1);
        let batches = join_all((0..8).map(|_| b.outbox.take(at(now), at(now + 50), 5))).await;
        let mut got = Vec::new();
        for batch in batches {
            let batch = batch.unwrap();
            assert!(batch.len() <= 5);
            got.extend(batch);
        }
        // What somebody had to pass over is still there.
        got.extend(take(&b, now, now + 50, 100).await);
        assert_eq!(got.len(), 30);
        assert!(got.iter().all(|due| i64::from(due.attempts) == round + 1));
        assert_eq!(got.into_iter().map(|due| due.mail.id).collect::<BTreeSet<_>>(), all);
    }
}
