//! Chats and their members.

use crate::world::{ANA, BEN, CHAT, CLAIMED, Fields, NOW, NOW_TEXT, World, direct, errors, group, member, send, user};
use reqwest::Method;
use serde_json::{Value, json};
use tertulia_domain::repository::{
    AddMember, AddMemberError, CreatedChat, InsertChatError, ListChatsError, ReadState, Removal, SetRoleError,
};
use tertulia_domain::{
    ChatCursor, ChatView, MemberCursor, MemberRole, Page, Recorded, Recording, Seq, StoredAnswer, UserId,
};
use uuid::Uuid;

fn chat() -> String {
    format!("/chats/{CHAT}")
}

fn members() -> String {
    format!("/chats/{CHAT}/members")
}

fn created(view: ChatView, created: bool) -> Recorded<CreatedChat> {
    Recorded::Fresh(CreatedChat { view, created })
}

/// What a member is shown as.
fn shown(id: UserId, name: &str, role: &str) -> Value {
    json!({
        "user": {
            "id": id.to_string(),
            "number": u64::try_from(id.as_uuid().as_u128()).unwrap(),
            "username": name,
            "display_name": name.to_uppercase(),
            "avatar_url": null,
            // Ana has just made a request.
            "online": id == ANA,
            "last_seen_at": (id == ANA).then_some(NOW_TEXT),
            "created_at": NOW_TEXT,
        },
        "role": role,
        "joined_at": NOW_TEXT,
        "read_seq": 1,
    })
}

#[actix_web::test]
async fn a_new_group() {
    let mut world = World::new();
    world
        .chats
        .expect_insert_group()
        .withf(|group, recording| {
            group.title.as_str() == "Poets" && group.owner == ANA && group.members == [BEN] && recording.is_none()
        })
        .returning(|_, _| Ok(created(group(), true)));
    let body = json!({"kind": "group", "title": " Poets", "user_ids": [BEN.to_string(), ANA.to_string()]});
    let chat = world.start().post("/chats", body).await.json(201);
    let mut last_message = chat["last_message"].clone();
    assert_eq!(last_message["body"].take(), "hi");
    let expected = json!({
        "id": CHAT.to_string(),
        "number": 12,
        "kind": "group",
        "title": "Poets",
        "avatar_url": null,
        "created_at": NOW_TEXT,
        "updated_at": NOW_TEXT,
        "member_count": 2,
        "last_seq": 3,
        "last_event_seq": 0,
        "last_message": chat["last_message"],
        "read_seq": 1,
        "unread_count": 2,
        "role": "owner",
        "members": [shown(ANA, "ana", "owner")],
    });
    assert_eq!(chat, expected);
}

#[actix_web::test]
async fn a_direct_chat_is_made_once() {
    for (new, status) in [(true, 201), (false, 200)] {
        let mut world = World::new();
        world
            .chats
            .expect_insert_direct()
            .withf(|chat, _| (chat.creator, chat.other) == (ANA, BEN))
            .returning(move |_, _| Ok(created(direct(), new)));
        let body = json!({"kind": "direct", "user_id": BEN.to_string()});
        let chat = world.start().post("/chats", body).await.json(status);
        assert_eq!(
            (&chat["kind"], &chat["title"], &chat["role"]),
            (&json!("direct"), &Value::Null, &json!("member"))
        );
        assert_eq!(
            chat["members"],
            json!([shown(ANA, "ana", "member"), shown(BEN, "ben", "member")])
        );
    }
}

/// Answers as a database would: records what the first request gets, and gives it to the second.
fn recording<T: 'static>(made: impl Fn() -> T + Send + 'static) -> impl FnMut(Recording<T>) -> Recorded<T> + Send {
    let mut recorded: Option<StoredAnswer> = None;
    move |recording| {
        if let Some(answer) = &recorded {
            return Recorded::Replayed(answer.clone());
        }
        let made = made();
        recorded = Some((recording.encode)(&made));
        Recorded::Fresh(made)
    }
}

#[actix_web::test]
async fn retried_creations_get_the_first_answer() {
    let mut world = World::new();
    let mut chats = recording(|| CreatedChat {
        view: group(),
        created: true,
    });
    world
        .chats
        .expect_insert_group()
        .returning(move |_, recording| Ok(chats(recording.unwrap())));
    world.chats.expect_find().returning(|_, _| Ok(Some(group())));
    let mut added = recording(|| AddMember {
        member: member(user(BEN, "ben"), MemberRole::Member),
        added: true,
    });
    world
        .chats
        .expect_add_member()
        .returning(move |_, recording| Ok(added(recording.unwrap())));
    let api = world.start();
    for (path, body) in [
        ("/chats", json!({"kind": "group", "title": "Poets"})),
        (&members(), json!({"user_id": BEN.to_string()})),
    ] {
        let request = || {
            let request = api.ana(Method::POST, path).json(&body);
            send(request.header("Idempotency-Key", "key"))
        };
        let (first, second) = (request().await, request().await);
        first.json(201);
        assert_eq!((second.status, &second.bytes), (201, &first.bytes));
        assert_eq!(first.header("idempotency-replayed"), None);
        assert_eq!(second.header("idempotency-replayed"), Some("true"));
        assert_eq!(second.header("content-type"), first.header("content-type"));
    }
}

#[actix_web::test]
async fn chats_that_are_none() {
    let api = World::new().start();
    let many: Vec<_> = (0x1000..0x1000 + 1001)
        .map(|n| Uuid::from_u128(n).to_string())
        .collect();
    for (body, expected) in [
        (json!({}), [("kind", "required")].as_slice()),
        (json!({"kind": "secret"}), &[("kind", "invalid")]),
        (
            json!({"kind": 1, "title": "", "user_id": "x", "user_ids": [7, "x"]}),
            &[
                ("kind", "wrong_type"),
                ("user_id", "invalid"),
                ("title", "invalid"),
                ("user_ids[0]", "wrong_type"),
                ("user_ids[1]", "invalid"),
            ],
        ),
        (json!({"kind": "direct"}), &[("user_id", "required")]),
        (
            json!({"kind": "direct", "user_id": ANA.to_string()}),
            &[("user_id", "invalid")],
        ),
        (
            json!({"kind": "group", "user_ids": {}}),
            &[("title", "required"), ("user_ids", "wrong_type")],
        ),
        (
            json!({"kind": "group", "title": "x", "user_ids": many}),
            &[("user_ids", "invalid")],
        ),
    ] {
        let answer = api.post("/chats", body).await;
        assert_eq!(answer.problem(422, "invalid_input"), errors(expected));
    }
}

#[actix_web::test]
async fn chats_with_nobody() {
    let mut world = World::new();
    world
        .chats
        .expect_insert_direct()
        .returning(|_, _| Err(InsertChatError::UserNotFound(BEN)));
    world
        .chats
        .expect_insert_group()
        .returning(|_, _| Err(InsertChatError::UserNotFound(BEN)));
    let api = world.start();
    let direct = api
        .post("/chats", json!({"kind": "direct", "user_id": BEN.to_string()}))
        .await;
    assert_eq!(direct.problem(404, "not_found"), errors(&[("user_id", "not_found")]));
    let group = json!({"kind": "group", "title": "x", "user_ids": [BEN.to_string()]});
    let group = api.post("/chats", group).await;
    assert_eq!(group.problem(404, "not_found"), errors(&[("user_ids", "not_found")]));
}

#[actix_web::test]
async fn lists_show_members_of_direct_chats_alone() {
    let mut world = World::new();
    let place = ChatCursor {
        active_at: NOW,
        id: CHAT,
    };
    world
        .chats
        .expect_list()
        .withf(|session, _, _, _| *session == CLAIMED)
        .returning(move |_, after, _, _| {
            let mut group = group();
            group.members.clear();
            Ok(Page {
                items: vec![group, direct()],
                next: (after != Some(place)).then_some(place),
            })
        });
    let api = world.start();
    let page = api.get("/chats?limit=2").await.json(200);
    assert_eq!(page["items"][0].get("members"), None);
    assert_eq!(page["items"][1]["members"].as_array().unwrap().len(), 2);
    let cursor = page["next_cursor"].as_str().unwrap();
    let last = api.get(&format!("/chats?cursor={cursor}")).await.json(200);
    assert_eq!(last["next_cursor"], Value::Null);
    // It is no place in another list.
    api.get(&format!("{}?cursor={cursor}", members()))
        .await
        .problem(400, "invalid_input");
}

#[actix_web::test]
async fn a_list_for_a_session_that_has_ended() {
    let mut world = World::new();
    world
        .chats
        .expect_list()
        .returning(|_, _, _, _| Err(ListChatsError::SessionEnded));
    world.start().get("/chats").await.problem(401, "unauthenticated");
}

#[actix_web::test]
async fn renaming() {
    let mut world = World::new();
    world.chats.expect_find().returning(|_, _| Ok(Some(group())));
    world
        .chats
        .expect_rename()
        .once()
        .withf(|_, title, _| title.as_str() == "Poets")
        .returning(|_, _, _| Ok(true));
    let api = world.start();
    assert_eq!(
        api.patch(&chat(), json!({"title": "Poets"})).await.json(200)["title"],
        "Poets"
    );
    // Nothing to change is no fault.
    assert_eq!(api.patch(&chat(), json!({})).await.json(200)["title"], "Poets");
    let null = api.patch(&chat(), json!({"title": null})).await;
    assert_eq!(null.problem(422, "invalid_input"), errors(&[("title", "required")]));
}

#[actix_web::test]
async fn what_direct_chats_do_not_have() {
    let mut world = World::new();
    world.chats.expect_find().returning(|_, _| Ok(Some(direct())));
    let api = world.start();
    let renamed = api.patch(&chat(), json!({"title": "x"})).await;
    assert_eq!(renamed.problem(422, "invalid_input"), []);
    let added = api.post(&members(), json!({"user_id": BEN.to_string()})).await;
    assert_eq!(added.problem(422, "invalid_input"), []);
    api.delete(&format!("{}/{ANA}", members()))
        .await
        .problem(422, "invalid_input");
}

#[actix_web::test]
async fn chats_of_others_are_not_there() {
    let mut world = World::new();
    world.chats.expect_find().returning(|_, _| {
        Ok(Some(ChatView {
            membership: None,
            ..group()
        }))
    });
    world.chats.expect_mark_read().returning(|_, _, _, _| Ok(None));
    let api = world.start();
    api.get(&chat()).await.problem(404, "not_found");
    api.patch(&chat(), json!({"title": "x"}))
        .await
        .problem(404, "not_found");
    api.delete(&chat()).await.problem(404, "not_found");
    api.get(&members()).await.problem(404, "not_found");
    api.post(&members(), json!({"user_id": BEN.to_string()}))
        .await
        .problem(404, "not_found");
    api.put(&format!("{}/read", chat()), json!({"seq": 1}))
        .await
        .problem(404, "not_found");
}

#[actix_web::test]
async fn deleting() {
    let mut world = World::new();
    world.chats.expect_find().returning(|_, _| Ok(Some(group())));
    world.chats.expect_delete().once().returning(|_, _| Ok(true));
    world.start().delete(&chat()).await.empty(204);
}

#[actix_web::test]
async fn reading() {
    let seq = |n| Seq::new(n).unwrap();
    let mut world = World::new();
    world
        .chats
        .expect_mark_read()
        .withf(move |id, user, upto, at| (*id, *user, *upto, *at) == (CHAT, ANA, seq(2), NOW))
        .returning(move |_, _, _, _| {
            Ok(Some(ReadState {
                moved: true,
                read_seq: seq(2),
                last_seq: seq(5),
            }))
        });
    let api = world.start();
    let read = format!("{}/read", chat());
    let expected = json!({"read_seq": 2, "unread_count": 3});
    assert_eq!(api.put(&read, json!({"seq": 2})).await.json(200), expected);
    for (body, code) in [
        (json!({}), "required"),
        (json!({"seq": -1}), "invalid"),
        (json!({"seq": "2"}), "wrong_type"),
        (json!({"seq": 2.5}), "wrong_type"),
    ] {
        assert_eq!(
            api.put(&read, body).await.problem(422, "invalid_input"),
            errors(&[("seq", code)])
        );
    }
}

#[actix_web::test]
async fn listing_members() {
    let mut world = World::new();
    world.chats.expect_find().returning(|_, _| Ok(Some(group())));
    let place = MemberCursor {
        joined_at: NOW,
        user_id: BEN,
    };
    world.chats.expect_list_members().returning(move |_, after, _| {
        Ok(Page {
            items: vec![member(user(BEN, "ben"), MemberRole::Admin)],
            next: (after != Some(place)).then_some(place),
        })
    });
    let api = world.start();
    let page = api.get(&members()).await.json(200);
    assert_eq!(page["items"], json!([shown(BEN, "ben", "admin")]));
    let cursor = page["next_cursor"].as_str().unwrap();
    let last = api.get(&format!("{}?cursor={cursor}", members())).await.json(200);
    assert_eq!(last["next_cursor"], Value::Null);
}

#[actix_web::test]
async fn adding_members() {
    for (new, status) in [(true, 201), (false, 200)] {
        let mut world = World::new();
        world.chats.expect_find().returning(|_, _| Ok(Some(group())));
        world
            .chats
            .expect_add_member()
            .withf(|member, _| (member.user_id, member.role) == (BEN, MemberRole::Member))
            .returning(move |_, _| {
                Ok(Recorded::Fresh(AddMember {
                    member: member(user(BEN, "ben"), MemberRole::Member),
                    added: new,
                }))
            });
        let answer = world
            .start()
            .post(&members(), json!({"user_id": BEN.to_string()}))
            .await;
        assert_eq!(answer.json(status), shown(BEN, "ben", "member"));
    }
}

#[actix_web::test]
async fn members_that_are_not_added() {
    type Why = fn() -> AddMemberError;
    let cases: [(Why, u16, &str, Fields); 3] = [
        (
            || AddMemberError::UserNotFound,
            404,
            "not_found",
            &[("user_id", "not_found")],
        ),
        (|| AddMemberError::Full, 409, "conflict", &[]),
        (
            || AddMemberError::KeyReused,
            422,
            "invalid_input",
            &[("Idempotency-Key", "invalid")],
        ),
    ];
    for (why, status, code, expected) in cases {
        let mut world = World::new();
        world.chats.expect_find().returning(|_, _| Ok(Some(group())));
        world.chats.expect_add_member().returning(move |_, _| Err(why()));
        let answer = world
            .start()
            .post(&members(), json!({"user_id": BEN.to_string()}))
            .await;
        assert_eq!(answer.problem(status, code), errors(expected));
    }
    let mut world = World::new();
    world.chats.expect_find().returning(|_, _| Ok(Some(group())));
    let api = world.start();
    for (body, expected) in [
        (
            json!({"role": "king"}),
            [("user_id", "required"), ("role", "invalid")].as_slice(),
        ),
        (
            json!({"user_id": BEN.to_string(), "role": "owner"}),
            &[("role", "invalid")],
        ),
    ] {
        let answer = api.post(&members(), body).await;
        assert_eq!(answer.problem(422, "invalid_input"), errors(expected));
    }
}

#[actix_web::test]
async fn changing_roles() {
    type Outcome = Result<(), (SetRoleError, u16, &'static str)>;
    let cases: [fn() -> Outcome; 3] = [
        || Ok(()),
        || Err((SetRoleError::MemberNotFound, 404, "not_found")),
        || Err((SetRoleError::OwnerStepsDown, 409, "conflict")),
    ];
    for case in cases {
        let mut world = World::new();
        world.chats.expect_find().returning(|_, _| Ok(Some(group())));
        world
            .chats
            .expect_set_role()
            .withf(|_, user, role, _| (*user, *role) == (BEN, MemberRole::Admin))
            .returning(move |_, _, _, _| match case() {
                Ok(()) => Ok(member(user(BEN, "ben"), MemberRole::Admin)),
                Err((error, ..)) => Err(error),
            });
        let path = format!("{}/{BEN}", members());
        let answer = world.start().patch(&path, json!({"role": "admin"})).await;
        match case() {
            Ok(()) => assert_eq!(answer.json(200), shown(BEN, "ben", "admin")),
            Err((_, status, code)) => assert_eq!(answer.problem(status, code), []),
        }
    }
}

#[actix_web::test]
async fn leaving() {
    let mut world = World::new();
    world.chats.expect_find().returning(|_, _| Ok(Some(group())));
    world
        .chats
        .expect_remove_member()
        .withf(|_, user, keep_owner, _| *user == ANA && !keep_owner)
        .returning(|_, _, _, _| Ok(Some(Removal::ChatDeleted)));
    world.start().delete(&format!("{}/{ANA}", members())).await.empty(204);
}

#[actix_web::test]
async fn what_a_plain_member_may_not() {
    let mut world = World::new();
    world.chats.expect_find().returning(|_, _| {
        let mut view = group();
        view.membership = view.membership.map(|own| tertulia_domain::Membership {
            role: MemberRole::Member,
            ..own
        });
        Ok(Some(view))
    });
    world.chats.expect_find_member().returning(|_, _| Ok(None));
    let api = world.start();
    let ben = format!("{}/{BEN}", members());
    api.delete(&chat()).await.problem(403, "forbidden");
    api.delete(&ben).await.problem(403, "forbidden");
    api.patch(&ben, json!({"role": "admin"}))
        .await
        .problem(403, "forbidden");
    api.post(&members(), json!({"user_id": BEN.to_string()}))
        .await
        .problem(403, "forbidden");
}
