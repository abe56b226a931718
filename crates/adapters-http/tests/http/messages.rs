//! What is said in a chat.

use crate::world::{ANA, BEN, CHAT, CLAIMED, FILE, Fields, MESSAGE, NOW, NOW_TEXT, World, errors, message, send};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tertulia_domain::repository::{AppendError, AppendMessage, Appended, ListMessagesError, MessageContext};
use tertulia_domain::{
    Author, EventSeq, Limit, MemberRole, Message, MessageBody, MessageContent, MessageRange, Page, ReplyPreview, Seq,
};

fn messages() -> String {
    format!("/chats/{CHAT}/messages")
}

fn one() -> String {
    format!("/chats/{CHAT}/messages/{MESSAGE}")
}

fn context(message: Message, viewer: Option<MemberRole>) -> MessageContext {
    MessageContext {
        message,
        group: true,
        viewer,
    }
}

/// The JSON of [`message`].
fn shown(body: &str) -> Value {
    json!({
        "id": MESSAGE.to_string(),
        "chat_id": CHAT.to_string(),
        "seq": 3,
        "sender": {"id": ANA.to_string(), "username": "ana", "display_name": null, "avatar_url": null},
        "body": body,
        "attachments": [],
        "reply_to": null,
        "created_at": NOW_TEXT,
        "edited_at": null,
        "deleted_at": null,
    })
}

#[actix_web::test]
async fn sending() {
    let mut world = World::new();
    world
        .messages
        .expect_append()
        .withf(|sent| {
            sent.chat_id == CHAT
                && sent.session == CLAIMED
                && sent.draft.body().map(MessageBody::as_str) == Some("hi")
                && sent.reply_to == Some(MESSAGE)
                && sent.claim.is_none()
                && sent.at == NOW
        })
        .returning(|_| {
            Ok(Appended {
                event: EventSeq::default(),
                message: message("hi"),
                replayed: false,
            })
        });
    // Whether the session lives is for the statement that stores the message.
    world.sessions.checkpoint();
    world.sessions.expect_find_caller().never();
    let api = world.start();
    let body = json!({"body": "hi \n", "reply_to": MESSAGE.to_string(), "attachments": [], "unknown": {"a": [1]}});
    let answer = api.post(&messages(), body).await;
    assert_eq!(answer.header("idempotency-replayed"), None);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json(201), shown("hi"));
}

#[actix_web::test]
async fn a_retry_gets_the_first_answer() {
    let mut world = World::new();
    let claims: Arc<Mutex<Vec<AppendMessage>>> = Arc::default();
    let seen = Arc::clone(&claims);
    world.messages.expect_append().returning(move |sent| {
        let mut seen = seen.lock().unwrap();
        seen.push(sent);
        Ok(Appended {
            event: EventSeq::default(),
            message: message("hi"),
            replayed: seen.len() > 1,
        })
    });
    let api = world.start();
    let request = |body: &Value| {
        let request = api.ana(Method::POST, &messages()).json(body);
        request.header("Idempotency-Key", "a key")
    };
    let first = send(request(&json!({"body": "hi"}))).await;
    let second = send(request(&json!({"body": "hi"}))).await;
    send(request(&json!({"body": "hi!"}))).await;
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.bytes, second.bytes);
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(second.header("idempotency-replayed"), Some("true"));
    let claims = claims.lock().unwrap();
    let claim = |n: usize| claims[n].claim.clone().unwrap();
    assert_eq!((claim(0).key.as_str(), claim(0).user_id), ("a key", ANA));
    assert_eq!(claim(0).fingerprint, claim(1).fingerprint);
    assert_ne!(claim(0).fingerprint, claim(2).fingerprint);
}

#[actix_web::test]
async fn what_is_not_sent() {
    let api = World::new().start();
    for (body, expected) in [
        (json!({}), [("body", "required")].as_slice()),
        (json!({"body": "\u{0}"}), &[("body", "invalid")]),
        (json!({"body": " \n"}), &[("body", "invalid")]),
        (json!({"body": "é".repeat(8001)}), &[("body", "invalid")]),
        (
            json!({"body": 1, "reply_to": "x"}),
            &[("body", "wrong_type"), ("reply_to", "invalid")],
        ),
        (
            json!({"body": "hi", "attachments": ["x"]}),
            &[("attachments[0]", "invalid")],
        ),
        (
            json!({"body": "hi", "attachments": "x"}),
            &[("attachments", "wrong_type")],
        ),
    ] {
        let answer = api.post(&messages(), body).await;
        assert_eq!(answer.problem(422, "invalid_input"), errors(expected));
    }
}

#[actix_web::test]
async fn why_it_is_not_sent() {
    type Why = fn() -> AppendError;
    let cases: [(Why, u16, &str, Fields); 6] = [
        (|| AppendError::SessionEnded, 401, "unauthenticated", &[]),
        (|| AppendError::ChatNotFound, 404, "not_found", &[]),
        (
            || AppendError::ReplyNotFound,
            404,
            "not_found",
            &[("reply_to", "not_found")],
        ),
        (
            || AppendError::AttachmentNotFound(FILE),
            404,
            "not_found",
            &[("attachments", "not_found")],
        ),
        (|| AppendError::Blocked, 403, "forbidden", &[]),
        (
            || AppendError::KeyReused,
            422,
            "invalid_input",
            &[("Idempotency-Key", "invalid")],
        ),
    ];
    for (why, status, code, expected) in cases {
        let mut world = World::new();
        world.messages.expect_append().returning(move |_| Err(why()));
        let answer = world.start().post(&messages(), json!({"body": "hi"})).await;
        assert_eq!(answer.problem(status, code), errors(expected));
    }
}

#[actix_web::test]
async fn a_walk_goes_on_in_its_direction() {
    let seq = |n| Seq::new(n).unwrap();
    let mut world = World::new();
    world.messages.expect_list().returning(move |list| {
        assert_eq!((list.chat_id, list.session), (CHAT, CLAIMED));
        let next = match list.range {
            MessageRange::Newest => MessageRange::Before(seq(51)),
            MessageRange::Before(n) => MessageRange::Before(seq((n.get() - 50).max(0))),
            MessageRange::After(n) => MessageRange::After(seq(n.get() + 50)),
        };
        let last = list.range == MessageRange::Before(seq(1)) || list.limit == Limit::new(7).unwrap();
        Ok(Page {
            items: vec![message("hi")],
            next: (!last).then_some(next),
        })
    });
    let api = world.start();
    let mut cursor = String::new();
    for from in ["", "?before=101", "?after=0"] {
        let page = api.get(&format!("{}{from}", messages())).await.json(200);
        assert_eq!(page["items"], json!([shown("hi")]));
        cursor = page["next_cursor"].as_str().unwrap().to_owned();
    }
    // After 0, after 50, and after 100,
    let next = api.get(&format!("{}?cursor={cursor}", messages())).await.json(200);
    assert_ne!(next["next_cursor"].as_str().unwrap(), cursor);
    // and from the newest to the oldest.
    let mut path = messages();
    let mut pages = 0;
    while let Some(next) = api.get(&path).await.json(200)["next_cursor"].as_str() {
        path = format!("{}?cursor={next}", messages());
        pages += 1;
    }
    assert_eq!(pages, 2);
    let page = api.get(&format!("{}?limit=7", messages())).await.json(200);
    assert_eq!(page["next_cursor"], Value::Null);
}

#[actix_web::test]
async fn lists_that_are_refused() {
    type Why = fn() -> ListMessagesError;
    let cases: [(Why, u16, &str); 2] = [
        (|| ListMessagesError::SessionEnded, 401, "unauthenticated"),
        (|| ListMessagesError::ChatNotFound, 404, "not_found"),
    ];
    for (why, status, code) in cases {
        let mut world = World::new();
        world.messages.expect_list().returning(move |_| Err(why()));
        assert_eq!(world.start().get(&messages()).await.problem(status, code), []);
    }
}

#[actix_web::test]
async fn one_message() {
    let mut world = World::new();
    let answered = Message {
        reply_to: Some(ReplyPreview {
            id: MESSAGE,
            seq: Seq::new(2).unwrap(),
            sender: Author {
                id: BEN,
                username: None,
                display_name: None,
                avatar: None,
            },
            body: None,
        }),
        edited_at: Some(NOW),
        content: MessageContent::Deleted { at: NOW },
        ..message("hi")
    };
    world
        .messages
        .expect_find()
        .returning(move |_, _, _| Ok(Some(context(answered.clone(), Some(MemberRole::Member)))));
    let found = world.start().get(&one()).await.json(200);
    let mut expected = shown("hi");
    expected["body"] = Value::Null;
    expected["edited_at"] = json!(NOW_TEXT);
    expected["deleted_at"] = json!(NOW_TEXT);
    expected["reply_to"] = json!({
        "id": MESSAGE.to_string(),
        "seq": 2,
        "sender": {"id": BEN.to_string(), "username": null, "display_name": null, "avatar_url": null},
        "body": null,
    });
    assert_eq!(found, expected);
}

#[actix_web::test]
async fn a_message_of_a_chat_that_is_none_of_ones_business() {
    let mut world = World::new();
    world
        .messages
        .expect_find()
        .returning(|_, _, _| Ok(Some(context(message("hi"), None))));
    let api = world.start();
    api.get(&one()).await.problem(404, "not_found");
    api.patch(&one(), json!({"body": "x"})).await.problem(404, "not_found");
    api.delete(&one()).await.problem(404, "not_found");
}

#[actix_web::test]
async fn editing() {
    let mut world = World::new();
    world
        .messages
        .expect_find()
        .returning(|_, _, _| Ok(Some(context(message("hi"), Some(MemberRole::Member)))));
    let edited = |_, _, body: &MessageBody, _| {
        let gone = body.as_str() == "too late";
        Ok((!gone).then(|| message(body.as_str())))
    };
    world.messages.expect_edit().returning(edited);
    let api = world.start();
    assert_eq!(api.patch(&one(), json!({"body": "ho"})).await.json(200), shown("ho"));
    assert_eq!(
        api.patch(&one(), json!({"body": "too late"}))
            .await
            .problem(409, "conflict"),
        []
    );
    let missing = api.patch(&one(), json!({})).await;
    assert_eq!(missing.problem(422, "invalid_input"), errors(&[("body", "required")]));
}

#[actix_web::test]
async fn a_message_of_somebody_else() {
    let mut world = World::new();
    let mut bens = message("hi");
    bens.sender.id = BEN;
    world
        .messages
        .expect_find()
        .returning(move |_, _, _| Ok(Some(context(bens.clone(), Some(MemberRole::Member)))));
    let api = world.start();
    api.patch(&one(), json!({"body": "x"})).await.problem(403, "forbidden");
    api.delete(&one()).await.problem(403, "forbidden");
}

#[actix_web::test]
async fn deleting() {
    let mut world = World::new();
    world
        .messages
        .expect_find()
        .returning(|_, _, _| Ok(Some(context(message("hi"), Some(MemberRole::Member)))));
    world.messages.expect_delete().once().returning(|_, _, _| Ok(true));
    world.start().delete(&one()).await.empty(204);
}
