//! `emotechat`, by its own examples.

use super::{Door, at_each_door};
use crate::support::{Answer, Maildir, Person, token_in};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

at_each_door! { "emotechat":
    the_session_of_the_document
    an_email_has_one_account
    users_come_in_pages
    conversations_are_the_direct_chats
    messages_with_a_partner_are_oldest_first
    a_forgotten_password_is_reset_by_mail
    what_is_wrong_is_told
}

/// Registers somebody of that name and logs them in: how they are shown, their token, and the same user in the native
/// API.
async fn enter(door: &Door, name: &str) -> (Value, String, Person) {
    let email = format!("{}@example.com", name.to_lowercase());
    let body = json!({"name": name, "email": email, "password": "yourpassword"});
    let user = door.post("", "/api/auth/register", body).await.is(200)["user"].clone();
    let session = log_in(door, &email, "yourpassword").await.is(200);
    let token = session["token"].as_str().unwrap().to_owned();
    let me = door.native().request(Method::GET, "/me").bearer_auth(&token);
    let me = Answer::to(me).await.is(200);
    let session = json!({"user": me, "access_token": token, "refresh_token": ""});
    (user, token, Person::from_session(door.native(), &session))
}

async fn log_in(door: &Door, email: &str, password: &str) -> Answer {
    let credentials = json!({"email": email, "password": password});
    door.post("", "/api/auth/login", credentials).await
}

/// The direct chat of two.
async fn chat(one: &Person, other: &Person) -> String {
    let made = one.post("/chats", json!({"kind": "direct", "user_id": other.id})).await;
    made.json()["id"].as_str().unwrap().to_owned()
}

/// The shape of every failure, and of what says no more than that something happened.
#[track_caller]
fn is_message(body: &Value) {
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
    assert!(!body["message"].as_str().unwrap().is_empty());
}

async fn the_session_of_the_document(door: &Door) {
    let new = json!({"name": "John Doe", "email": "john@example.com", "password": "yourpassword"});
    let john = json!({"id": 1, "name": "John Doe", "email": "john@example.com"});
    let registered = door.post("", "/api/auth/register", new).await.is(200);
    assert_eq!(registered, json!({"message": registered["message"], "user": john}));
    assert!(registered["message"].is_string());

    let answer = log_in(door, "JOHN@example.com", "yourpassword").await;
    let bearer = answer.header("authorization").unwrap().to_owned();
    let session = answer.is(200);
    let token = session["token"].as_str().unwrap();
    assert_eq!(bearer, format!("Bearer {token}"));
    let expected = json!({"message": session["message"], "user": john, "token": token});
    assert_eq!(session, expected);

    for scheme in ["Bearer", "Bearer Bearer"] {
        let validate = door.request(Method::GET, "/api/auth/validate/");
        let valid = Answer::to(validate.header("Authorization", format!("{scheme} {token}"))).await;
        let valid = valid.is(200);
        assert_eq!(valid, json!({"message": valid["message"], "user": john}));
    }
    let pagination = json!({"total_pages": 1, "current_page": 1, "page_size": 30, "total": 1});
    let users = door.get(token, "/api/profile/users").await.is(200);
    assert_eq!(users, json!({"users": [john], "pagination": pagination}));

    is_message(&door.post(token, "/api/auth/logout", json!(null)).await.is(200));
    for path in ["/api/auth/validate", "/api/profile/users", "/api/conversations"] {
        is_message(&door.get(token, path).await.is(401));
    }
    is_message(&log_in(door, "john@example.com", "anotherpassword").await.is(401));
}

async fn an_email_has_one_account(door: &Door) {
    let mut answers = JoinSet::new();
    for n in 0..6 {
        let email = if n % 2 == 0 {
            "john@example.com"
        } else {
            "John@Example.com"
        };
        let body = json!({"name": "John Doe", "email": email, "password": "yourpassword"});
        answers.spawn(Answer::to(door.request(Method::POST, "/api/auth/register").json(&body)));
    }
    let answers = answers.join_all().await;
    let made = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(made, 1, "{answers:?}");
    for refused in answers.into_iter().filter(|answer| answer.status != 200) {
        is_message(&refused.is(409));
    }
}

async fn users_come_in_pages(door: &Door) {
    let mut users = Vec::new();
    let mut token = String::new();
    for name in ["Ana", "Ben", "Cid"] {
        let (user, own, _) = enter(door, name).await;
        users.push(user);
        token = own;
    }
    let page = |pages: i64, number: i64, size: i64| json!({"total_pages": pages, "current_page": number, "page_size": size, "total": 3});
    for (query, shown, pagination) in [
        ("page=1&page_size=2", &users[..2], page(2, 1, 2)),
        ("page=2&page_size=2", &users[2..], page(2, 2, 2)),
        ("page=3&page_size=2", &[], page(2, 3, 2)),
        ("page=0&page_size=-1", &users[..], page(1, 1, 30)),
        ("page=x&page_size=1000", &users[..], page(1, 1, 100)),
    ] {
        let answer = door.get(&token, &format!("/api/profile/users?{query}")).await.is(200);
        assert_eq!(answer, json!({"users": shown, "pagination": pagination}), "{query}");
    }
}

async fn conversations_are_the_direct_chats(door: &Door) {
    let (_, token, ana) = enter(door, "Ana").await;
    let (ben_shown, _, ben) = enter(door, "Ben").await;
    let (cid_shown, cid_token, cid) = enter(door, "Cid").await;
    let none = door.get(&token, "/api/conversations").await.is(200);
    let pagination = |pages: i64, size: i64, total: i64| json!({"total_pages": pages, "current_page": 1, "page_size": size, "total": total});
    let expected = json!({
        "conversations": [], "pagination": pagination(0, 30, 0), "total_pages": 0, "current_page": 1, "page_size": 30,
    });
    assert_eq!(none, expected);

    let (with_ben, with_cid) = (chat(&ana, &ben).await, chat(&ana, &cid).await);
    let group = ana.group("Poets", &[&ben, &cid]).await;
    ben.send(&group, "for all").await;
    let mut last = json!(null);
    for text in ["one", "two", "three", "gone"] {
        let sent = ben.send(&with_ben, text).await;
        if text == "gone" {
            let path = format!("/chats/{with_ben}/messages/{}", sent["id"].as_str().unwrap());
            ben.delete(&path).await.is(204);
        } else {
            last = sent["created_at"].clone();
        }
    }
    let listed = door.get(&token, "/api/conversations").await.is(200);
    let ids = [&listed["conversations"][0]["id"], &listed["conversations"][1]["id"]];
    assert!(ids.iter().all(|id| id.is_i64()) && ids[0] != ids[1], "{listed}");
    let first = json!({
        "id": ids[0], "user": ben_shown, "last_message": "three", "last_message_time": last, "unread_count": 3,
    });
    let second = json!({
        "id": ids[1], "user": cid_shown, "last_message": null, "last_message_time": null, "unread_count": 0,
    });
    let expected = json!({
        "conversations": [first, second], "pagination": pagination(1, 30, 2), "total_pages": 1, "current_page": 1,
        "page_size": 30,
    });
    assert_eq!(listed, expected);

    // The most recently active comes first; to send is to have read.
    ana.send(&with_cid, "hello").await;
    let listed = door.get(&token, "/api/conversations?page_size=1").await.is(200);
    assert_eq!(listed["conversations"].as_array().map(Vec::len), Some(1));
    let newest = &listed["conversations"][0];
    assert_eq!(
        (&newest["id"], &newest["last_message"], &newest["unread_count"]),
        (ids[1], &json!("hello"), &json!(0))
    );
    assert_eq!(listed["pagination"], pagination(2, 1, 2));
    let theirs = door.get(&cid_token, "/api/conversations").await.is(200);
    assert_eq!(theirs["conversations"][0]["unread_count"], 1);
}

async fn messages_with_a_partner_are_oldest_first(door: &Door) {
    let (ana_shown, token, ana) = enter(door, "Ana").await;
    let (ben_shown, ben_token, ben) = enter(door, "Ben").await;
    let (cid_shown, cid_token, _) = enter(door, "Cid").await;
    let chat = chat(&ana, &ben).await;
    let mut expected = Vec::new();
    for (person, sender, receiver, text) in [
        (&ana, &ana_shown, &ben_shown, "one"),
        (&ben, &ben_shown, &ana_shown, "two"),
        (&ana, &ana_shown, &ben_shown, "three"),
    ] {
        let sent = person.send(&chat, text).await;
        expected.push(json!({
            "ID": sent["id"], "SenderID": sender["id"], "ReceiverID": receiver["id"], "Content": text,
            "Timestamp": sent["created_at"], "Sender": sender, "Receiver": receiver,
        }));
    }
    let gone = ana.send(&chat, "gone").await;
    let path = format!("/chats/{chat}/messages/{}", gone["id"].as_str().unwrap());
    ana.delete(&path).await.is(204);
    let with = async |token: &str, partner: &Value, query: &str| {
        let path = format!("/api/conversations?partner_id={partner}{query}");
        door.get(token, &path).await
    };
    let page = |users: [&Value; 2], messages: &[Value], pages: i64, number: i64, size: i64| {
        json!({
            "users": users, "conversations": messages, "total_pages": pages, "current_page": number, "page_size": size,
        })
    };
    let (a, b, c) = (&ana_shown, &ben_shown, &cid_shown);
    let whole = with(&token, &b["id"], "").await.is(200);
    assert_eq!(whole, page([a, b], &expected, 1, 1, 30));
    let theirs = with(&ben_token, &a["id"], "").await.is(200);
    assert_eq!(theirs, page([b, a], &expected, 1, 1, 30));
    for (number, messages) in [(1, &expected[..2]), (2, &expected[2..]), (3, &[])] {
        let part = with(&token, &b["id"], &format!("&page={number}&page_size=2")).await;
        assert_eq!(part.is(200), page([a, b], messages, 2, number, 2));
    }
    // Nobody else sees them.
    let nothing = with(&cid_token, &a["id"], "").await.is(200);
    assert_eq!(nothing, page([c, a], &[], 0, 1, 30));
    let oneself = with(&token, &a["id"], "").await.is(200);
    assert_eq!(oneself, page([a, a], &[], 0, 1, 30));
    is_message(&with(&token, &json!(1_000_000), "").await.is(404));
    let wrong = door.get(&token, "/api/conversations?partner_id=ana").await;
    is_message(&wrong.is(400));
}

async fn a_forgotten_password_is_reset_by_mail(door: &Door) {
    let (_, token, _) = enter(door, "Ana").await;
    let outbox = Maildir::of(door.data());
    let mut same = Vec::new();
    for email in ["ana@example.com", "nobody@example.com"] {
        let body = json!({"email": email});
        same.push(door.post("", "/api/password/reset-request", body).await.is(200));
    }
    is_message(&same[0]);
    assert_eq!(same[0], same[1]);
    let mailed = token_in(&outbox.only_one_to("ana@example.com").await);
    let reset = async |token: &str, field: &str, password: &str| {
        let body = json!({"token": token, field: password});
        door.post("", "/api/password/reset", body).await
    };
    is_message(&reset(&mailed, "password", "short").await.is(400));
    is_message(&reset("nonsense", "password", "newpassword").await.is(401));
    door.get(&token, "/api/auth/validate").await.is(200);
    is_message(&reset(&mailed, "new_password", "newpassword").await.is(200));
    is_message(&reset(&mailed, "password", "newerpassword").await.is(401));
    is_message(&door.get(&token, "/api/auth/validate").await.is(401));
    log_in(door, "ana@example.com", "yourpassword").await.is(401);
    log_in(door, "ana@example.com", "newpassword").await.is(200);
    assert!(outbox.to("nobody@example.com").is_empty());
}

async fn what_is_wrong_is_told(door: &Door) {
    let (_, token, _) = enter(door, "Ana").await;
    for (field, value) in [
        ("name", json!(" ")),
        ("email", json!("john")),
        ("password", json!("short")),
        ("email", json!(null)),
    ] {
        let mut body = json!({"name": "John", "email": "john@example.com", "password": "yourpassword"});
        body[field] = value;
        is_message(&door.post("", "/api/auth/register", body).await.is(400));
    }
    for path in ["/api/auth/register", "/api/auth/login", "/api/password/reset-request"] {
        let request = || door.request(Method::POST, path);
        let json = "application/json";
        for bad in [
            request().body("x"),
            request().header("Content-Type", "text/plain").body("{}"),
            request().header("Content-Type", json).body("{\"a\":"),
            request().header("Content-Type", json).body("[]"),
            request().header("Content-Type", json).body(vec![b' '; 1_000_000]),
        ] {
            is_message(&Answer::to(bad).await.is(400));
        }
    }
    for (method, path, status) in [
        (Method::GET, "/api/nothing", 404),
        (Method::GET, "/", 404),
        (Method::PATCH, "/api/conversations/", 405),
        (Method::GET, "/api/auth/register", 405),
    ] {
        is_message(
            &Answer::to(door.request(method, path).bearer_auth(&token))
                .await
                .is(status),
        );
    }
    let users = door.get(&token, "/api/profile/users").await.is(200);
    assert_eq!(users["pagination"]["total"], 1, "nothing is stored");
}
