//! `company`, by its own examples.

use super::{Door, at_each_door};
use crate::support::{Answer, Form, Maildir, Person, picture, size_of};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, UNIX_EPOCH};
use tokio::task::JoinSet;

at_each_door! { "company":
    the_conversation_of_the_document
    an_email_has_one_account
    two_users_have_one_conversation
    another_password_ends_the_other_sessions
    conversations_are_for_their_two_users_alone
    who_blocks_is_shown
    deleted_messages_were_never_there
    long_lists_go_on
    pictures_are_public
    what_is_wrong_is_told
}

const BLANK: &str = "can't be blank";

fn stranger() -> Value {
    json!({"message": "unauthenticated"})
}

fn errors(field: &str, reason: &str) -> Value {
    json!({"errors": {field: [reason]}})
}

/// Registers somebody with that first name and the password `johndoe`, and logs them in: their number and token.
async fn enter(door: &Door, name: &str) -> (i64, String) {
    let email = format!("{}@mail.com", name.to_lowercase());
    let user = json!({"name": name, "subname": "Doe", "email": email, "job": "CEO", "password": "johndoe"});
    let user = door.post("", "/api/users", json!({"user": user})).await.is(201);
    let token = log_in(door, &email, "johndoe").await.is(200)["data"]["token"].clone();
    (user["id"].as_i64().unwrap(), token.as_str().unwrap().to_owned())
}

async fn log_in(door: &Door, email: &str, password: &str) -> Answer {
    let creds = json!({"creds": {"email": email, "password": password}});
    door.post("", "/api/login/", creds).await
}

/// The conversation between whoever has that token and somebody: its number.
async fn converse(door: &Door, token: &str, recipient: i64) -> i64 {
    let begun = door
        .post(token, "/api/conversations", json!({"recipient": recipient}))
        .await;
    assert!([200, 201].contains(&begun.status), "{begun:?}");
    begun.json()["id"].as_i64().unwrap()
}

async fn say(door: &Door, token: &str, conversation: i64, text: &str) -> Value {
    let message = json!({"conv": conversation, "content": text});
    door.post(token, "/api/messages", message).await.is(201)
}

async fn contents(door: &Door, token: &str, query: &str) -> Vec<String> {
    let messages = door.get(token, &format!("/api/messages?{query}")).await.is(200);
    let messages = messages.as_array().unwrap().clone();
    let text = |message: &Value| message["content"].as_str().unwrap().to_owned();
    messages.iter().map(text).collect()
}

/// The same user in the native API.
async fn native(door: &Door, token: &str) -> Person {
    let me = door.native().request(Method::GET, "/me").bearer_auth(token);
    let me = Answer::to(me).await.is(200);
    let session = json!({"user": me, "access_token": token, "refresh_token": ""});
    Person::from_session(door.native(), &session)
}

/// Whether that is a time as contracts write it, and a recent one.
fn is_time(value: &Value) -> bool {
    let text = value.as_str().unwrap();
    text.len() == "2024-03-08T19:30:00.000Z".len() && text.ends_with('Z') && text > "2024-01-01T00:00:00.000Z"
}

fn user(id: i64, name: &str, password: Option<&str>) -> Value {
    let email = format!("{}@mail.com", name.to_lowercase());
    json!({"subname": "Doe", "password": password, "name": name, "job": "CEO", "id": id, "email": email})
}

async fn the_conversation_of_the_document(door: &Door) {
    let john = json!({"user": {"name": "John", "subname": "Doe", "email": "john@mail.com", "job": "CEO"}});
    let john = door.post("", "/api/users/", john).await.is(201);
    let chosen = john["password"].as_str().unwrap().to_owned();
    assert!(chosen.len() >= 16, "{chosen}");
    assert_eq!(john, user(1, "John", Some(&chosen)));
    let mail = Maildir::of(door.data()).only_one_to("john@mail.com").await;
    assert!(mail.contains(&chosen), "{mail}");
    let (jane, jane_token) = enter(door, "Jane").await;
    assert_eq!(jane, 2);

    let answer = log_in(door, "john@mail.com", &chosen).await;
    let bearer = answer.header("authorization").unwrap().to_owned();
    let session = answer.is(200);
    let token = session["data"]["token"].as_str().unwrap().to_owned();
    let expire = session["data"]["expire"].as_u64().unwrap();
    let shown = json!({"user": user(1, "John", None), "token": token, "expire": expire});
    assert_eq!(session, json!({"data": shown}));
    assert_eq!(bearer, format!("Bearer {token}"));
    // In seconds, and as long as the session: there is nothing to refresh the token by.
    let begun = door.data().metadata().unwrap().modified().unwrap();
    let lasts = UNIX_EPOCH + Duration::from_secs(expire) - Duration::from_hours(24);
    assert!(
        lasts > begun && lasts < begun + Duration::from_hours(366 * 24),
        "{expire}"
    );

    let change = door.request(Method::PUT, "/api/users/1").bearer_auth(&token);
    let changed = Answer::to(change.json(&json!({"password": "johndoe"}))).await;
    assert_eq!(changed.is(200), json!("johndoe"));
    let old = log_in(door, "john@mail.com", &chosen).await.is(401);
    assert_eq!(old, json!({"data": "No user with these credentials"}));
    log_in(door, "JOHN@mail.com", "johndoe").await.is(200);

    let everybody = json!([user(1, "John", None), user(2, "Jane", None)]);
    assert_eq!(door.get(&token, "/api/users").await.is(200), everybody);

    let conversation = || json!({"status": null, "id": 1});
    let begun = door.post(&token, "/api/conversations/", json!({"recipient": 2})).await;
    assert_eq!(begun.is(201), conversation());
    let again = door
        .post(&jane_token, "/api/conversations", json!({"recipient_id": 1}))
        .await;
    assert_eq!(again.is(200), conversation());
    for token in [&token, &jane_token] {
        let listed = door.get(token, "/api/conversations/").await.is(200);
        assert_eq!(listed, json!([conversation()]));
        assert_eq!(door.get(token, "/api/messages?conv=1").await.is(200), json!([]));
    }
    let mut said = Vec::new();
    for (token, sender, text) in [(&token, 1, "Hello, Jane"), (&jane_token, 2, "Hello, John\nDoe")] {
        let message = say(door, token, 1, text).await;
        let (id, date) = (&message["id"], &message["date"]);
        assert!(id.as_str().unwrap().len() == 36 && is_time(date), "{message}");
        let expected = json!({"id": id, "content": text, "date": date, "conversation_id": 1, "sender_id": sender});
        assert_eq!(message, expected);
        said.push(message);
    }
    for path in ["/api/messages?conv=1", "/api/messages/?conv_id=1"] {
        assert_eq!(door.get(&jane_token, path).await.is(200), json!(said));
    }

    let out = door.request(Method::DELETE, "/api/logout").bearer_auth(&token);
    assert_eq!(Answer::to(out).await.is(200), json!({"data": "Success logout"}));
    let late = door.get(&token, "/api/users").await;
    assert_eq!(late.header("content-type"), Some("application/json"));
    assert_eq!(late.is(401), stranger());
}

async fn an_email_has_one_account(door: &Door) {
    let mut answers = JoinSet::new();
    for n in 0..6 {
        let email = if n % 2 == 0 { "john@mail.com" } else { "John@Mail.com" };
        let user = json!({"name": "John", "subname": "Doe", "email": email, "job": "CEO", "password": "johndoe"});
        let request = door.request(Method::POST, "/api/users").json(&json!({"user": user}));
        answers.spawn(Answer::to(request));
    }
    let answers = answers.join_all().await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1, "{answers:?}");
    for refused in answers.into_iter().filter(|answer| answer.status != 201) {
        assert_eq!(refused.is(422), errors("email", "has already been taken"));
    }
}

async fn two_users_have_one_conversation(door: &Door) {
    let (ana, ben) = (enter(door, "Ana").await, enter(door, "Ben").await);
    let mut answers = JoinSet::new();
    for n in 0..10 {
        let (token, recipient) = if n % 2 == 0 { (&ana.1, ben.0) } else { (&ben.1, ana.0) };
        let request = door.request(Method::POST, "/api/conversations").bearer_auth(token);
        answers.spawn(Answer::to(request.json(&json!({"recipient": recipient}))));
    }
    let answers = answers.join_all().await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1, "{answers:?}");
    let id = converse(door, &ana.1, ben.0).await;
    for answer in answers {
        assert_eq!(answer.json(), json!({"status": null, "id": id}));
    }
}

async fn another_password_ends_the_other_sessions(door: &Door) {
    let (ana, ben) = (enter(door, "Ana").await, enter(door, "Ben").await);
    let other = log_in(door, "ana@mail.com", "johndoe").await.is(200);
    let other = other["data"]["token"].as_str().unwrap();
    let change = async |token: &str, id: i64| {
        let request = door.request(Method::PUT, &format!("/api/users/{id}/"));
        Answer::to(request.bearer_auth(token).json(&json!({"password": "johnny"}))).await
    };
    let detail = change(&ana.1, ben.0).await.is(403);
    assert!(detail["errors"]["detail"].is_string(), "{detail}");
    assert_eq!(change(&ana.1, 1_000_000).await.is(422), errors("id", "does not exist"));
    door.get(other, "/api/users").await.is(200);
    assert_eq!(change(&ana.1, ana.0).await.is(200), json!("johnny"));
    assert_eq!(door.get(other, "/api/users").await.is(401), stranger());
    door.get(&ana.1, "/api/users").await.is(200);
    log_in(door, "ben@mail.com", "johndoe").await.is(200);
}

async fn conversations_are_for_their_two_users_alone(door: &Door) {
    let (ana, ben, eve) = (
        enter(door, "Ana").await,
        enter(door, "Ben").await,
        enter(door, "Eve").await,
    );
    let id = converse(door, &ana.1, ben.0).await;
    say(door, &ana.1, id, "for Ben").await;
    // A group, in which she is, and which is no conversation.
    let (eve_native, ana_native) = (native(door, &eve.1).await, native(door, &ana.1).await);
    let group = eve_native.group("Poets", &[&ana_native]).await;
    eve_native.send(&group, "for all").await;
    assert_eq!(door.get(&eve.1, "/api/conversations").await.is(200), json!([]));
    for number in [id, id + 1, id + 1000] {
        let seen = door.get(&eve.1, &format!("/api/messages?conv={number}")).await;
        assert_eq!(seen.is(200), json!([]));
        let message = json!({"conv": number, "content": "hello"});
        let refused = door.post(&eve.1, "/api/messages", message).await;
        assert_eq!(refused.is(422), errors("conv", "does not exist"));
    }
    assert_eq!(contents(door, &ben.1, &format!("conv={id}")).await, ["for Ben"]);
    door.database().make_admin("root");
    let admin = door.native().log_in("root").await;
    assert_eq!(contents(door, &admin.access, &format!("conv={id}")).await, ["for Ben"]);
    let listed = door.get(&admin.access, "/api/conversations").await;
    assert_eq!(listed.is(200), json!([]));
}

async fn who_blocks_is_shown(door: &Door) {
    let (ana, ben, eve) = (
        enter(door, "Ana").await,
        enter(door, "Ben").await,
        enter(door, "Eve").await,
    );
    let id = converse(door, &ana.1, ben.0).await;
    let blocking = native(door, &ben.1).await;
    for token in [&ana.1, &eve.1] {
        let blocked = native(door, token).await.id;
        blocking
            .put(&format!("/me/blocks/{blocked}"), json!(null))
            .await
            .is(204);
    }
    for (token, other) in [(&ana.1, ben.0), (&ben.1, ana.0)] {
        let shown = json!({"status": "blocked", "id": id});
        assert_eq!(door.get(token, "/api/conversations").await.is(200), json!([shown]));
        let again = door
            .post(token, "/api/conversations", json!({"recipient": other}))
            .await;
        assert_eq!(again.is(200), shown);
        let refused = door
            .post(token, "/api/messages", json!({"conv": id, "content": "hello"}))
            .await;
        assert!(refused.is(403)["errors"]["detail"].is_string());
    }
    // Nor does a conversation begin.
    let refused = door
        .post(&eve.1, "/api/conversations", json!({"recipient": ben.0}))
        .await;
    assert!(refused.is(403)["errors"]["detail"].is_string());
}

async fn deleted_messages_were_never_there(door: &Door) {
    let (ana, ben) = (enter(door, "Ana").await, enter(door, "Ben").await);
    let id = converse(door, &ana.1, ben.0).await;
    let native = native(door, &ana.1).await;
    let (chats, _) = native.page("/chats", 1, None).await;
    let chat = chats[0]["id"].as_str().unwrap();
    for text in ["one", "two", "three"] {
        let message = say(door, &ana.1, id, text).await;
        if text == "two" {
            let path = format!("/chats/{chat}/messages/{}", message["id"].as_str().unwrap());
            native.delete(&path).await.is(204);
        }
    }
    let file = native.upload("a.png", picture(4, 3, 0)).await;
    native.send_files(chat, &[&file]).await;
    let query = format!("conv={id}");
    assert_eq!(contents(door, &ben.1, &query).await, ["one", "three", ""]);
    assert_eq!(contents(door, &ben.1, &format!("{query}&limit=2")).await, ["three", ""]);
    assert_eq!(
        contents(door, &ben.1, &format!("{query}&limit=2&page=2")).await,
        ["one"]
    );
}

async fn long_lists_go_on(door: &Door) {
    let mut users = Vec::new();
    for name in ["Ana", "Ben", "Cid"] {
        users.push(enter(door, name).await);
    }
    let token = &users[0].1;
    let mut ids = Vec::new();
    let mut path = "/api/users?limit=1".to_owned();
    loop {
        let page = door.get(token, &path).await;
        let link = page.header("link").map(str::to_owned);
        ids.extend(page.is(200).as_array().unwrap().iter().map(|user| user["id"].clone()));
        let Some(link) = link else { break };
        let next = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        path = next.strip_prefix(door.base()).unwrap().to_owned();
    }
    assert_eq!(json!(ids), json!([users[0].0, users[1].0, users[2].0]));

    let id = converse(door, token, users[1].0).await;
    for n in 0..5 {
        say(door, token, id, &n.to_string()).await;
    }
    let query = |page: i64| format!("conv={id}&limit=2&page={page}");
    for (page, expected, more) in [(1, &["3", "4"][..], true), (2, &["1", "2"], true), (3, &["0"], false)] {
        assert_eq!(contents(door, token, &query(page)).await, expected);
        let link = door.get(token, &format!("/api/messages?{}", query(page))).await;
        let next = format!(
            "<{}/api/messages?conv={id}&page={}&limit=2>; rel=\"next\"",
            door.base(),
            page + 1
        );
        assert_eq!(link.header("link"), more.then_some(next.as_str()));
    }
    assert!(contents(door, token, &query(4)).await.is_empty());
    let all = format!("conv={id}&page=x&limit=100000");
    assert_eq!(contents(door, token, &all).await, ["0", "1", "2", "3", "4"]);
}

async fn pictures_are_public(door: &Door) {
    let (_, token) = enter(door, "Ana").await;
    let upload = async |form: Form| {
        let request = door.request(Method::POST, "/api/users/upload").bearer_auth(&token);
        Answer::to(form.on(request)).await
    };
    let form = Form::new().file_in("image", "../a b.png", &picture(4, 3, 0));
    let image = upload(form).await.is(200);
    let url = image["image"]["url"].as_str().unwrap();
    assert_eq!(image, json!({"image": {"file_name": "a b.png", "url": url}}));
    assert!(url.starts_with("/uploads/") && url.ends_with("/a%20b.png"), "{url}");
    // The address is good as a path, and below the base.
    for request in [door.request_root(Method::GET, url), door.request(Method::GET, url)] {
        let shown = Answer::to(request).await;
        assert_eq!((shown.status, shown.header("content-type")), (200, Some("image/png")));
        assert_eq!(size_of(&shown.body), (4, 3));
    }
    let me = native(door, &token).await.get("/me").await.is(200);
    assert!(me["avatar_url"].as_str().unwrap().ends_with("/a%20b.png"), "{me}");
    for form in [
        Form::new(),
        Form::new().file_in("image", "a.png", b"no picture"),
        Form::new().file_in("image", "a.png", b""),
        Form::new().file_in("file", "a.png", &picture(4, 3, 0)),
    ] {
        let refused = upload(form).await.is(422);
        assert!(refused["errors"]["image"][0].is_string(), "{refused}");
    }
}

async fn what_is_wrong_is_told(door: &Door) {
    let (ana, token) = enter(door, "Ana").await;
    for field in ["name", "subname", "email", "job"] {
        for nothing in [json!(null), json!(""), json!("  ")] {
            let mut user = json!({"name": "John", "subname": "Doe", "email": "john@mail.com", "job": "CEO"});
            user[field] = nothing;
            let refused = door.post("", "/api/users", json!({"user": user})).await;
            assert_eq!(refused.is(422), errors(field, BLANK));
        }
    }
    for recipient in [json!(ana), json!(ana + 1000), json!("1"), json!(null), json!(-1)] {
        let refused = door
            .post(&token, "/api/conversations", json!({"recipient": recipient}))
            .await;
        assert!(refused.is(422)["errors"]["recipient"][0].is_string());
    }
    for (method, path) in [
        (Method::POST, "/api/users"),
        (Method::POST, "/api/login"),
        (Method::POST, "/api/conversations"),
        (Method::POST, "/api/messages"),
        (Method::PUT, "/api/users/1"),
    ] {
        let request = || door.request(method.clone(), path).bearer_auth(&token);
        let json = "application/json";
        for bad in [
            request().body("x"),
            request()
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body("a=b"),
            request().header("Content-Type", json).body("{\"a\":"),
            request().header("Content-Type", json).body(vec![b' '; 1_000_000]),
        ] {
            let refused = Answer::to(bad).await.is(422);
            assert!(refused["errors"]["body"][0].is_string(), "{refused}");
        }
    }
    for unknown in ["987654321", "0", "-1", "one"] {
        let path = format!("/api/users/{unknown}");
        let request = door.request(Method::PUT, &path).bearer_auth(&token);
        let refused = Answer::to(request.json(&json!({"password": "johndoe"}))).await;
        assert_eq!(refused.is(422), errors("id", "does not exist"));
    }
    for (method, path, status) in [
        (Method::GET, "/api/nothing", 404),
        (Method::GET, "/", 404),
        (Method::GET, "/uploads/nothing/a.png", 404),
        (Method::PATCH, "/api/messages/", 405),
    ] {
        let body = json!({"password": "johndoe"});
        let request = door.request(method, path).bearer_auth(&token).json(&body);
        let refused = Answer::to(request).await.is(status);
        assert!(refused["errors"]["detail"].is_string(), "{refused}");
    }
    let everybody = door.get(&token, "/api/users").await.is(200);
    assert_eq!(everybody.as_array().map(Vec::len), Some(1), "nothing is stored");
}
