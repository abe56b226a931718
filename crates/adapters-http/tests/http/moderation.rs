//! Blocks, reports, and what admins do.

use crate::world::{
    ANA, BEN, CALLER, CHAT, MESSAGE, NOW, NOW_TEXT, World, direct, errors, group, member, message, send, user,
};
use reqwest::Method;
use serde_json::{Value, json};
use tertulia_domain::repository::{AuditCursor, BlockError, MessageContext, ReportCursor, ReportFilter};
use tertulia_domain::{
    AuditAction, AuditEntry, Author, Caller, ChatView, MemberRole, Message, Page, Reason, Report, ReportId, Resolution,
    Role, Seq, User, UserId,
};
use uuid::Uuid;

const REPORT: ReportId = ReportId::from_uuid(Uuid::from_u128(0x9));

/// Ben, who was there just now.
fn ben() -> User {
    User {
        last_seen_at: Some(NOW),
        ..user(BEN, "ben")
    }
}

#[actix_web::test]
async fn blocking() {
    let mut world = World::new();
    world.moderation.expect_block().returning(|_, other, _, _| {
        if other == BEN {
            Ok(())
        } else {
            Err(BlockError::UserNotFound)
        }
    });
    world.moderation.expect_unblock().returning(|_, _, _| Ok(false));
    world.moderation.expect_list_blocked().returning(|_| Ok(vec![ben()]));
    let api = world.start();
    let block = async |id: String| send(api.ana(Method::PUT, &format!("/me/blocks/{id}"))).await;
    block(BEN.to_string()).await.empty(204);
    block(CHAT.to_string()).await.problem(404, "not_found");
    block(ANA.to_string()).await.problem(422, "invalid_input");
    block("x".into()).await.problem(404, "not_found");
    api.delete(&format!("/me/blocks/{BEN}")).await.empty(204);
    let list = api.get("/me/blocks").await.json(200);
    assert_eq!(list["items"][0]["id"], BEN.to_string());
    assert_eq!(list["next_cursor"], Value::Null);
}

#[actix_web::test]
async fn who_is_blocked_is_not_seen_to_be_there() {
    let mut world = World::new().with_caller(Caller { blocks: true, ..CALLER });
    world.events.expect_acquaintances().returning(|_, _, _| Ok(vec![]));
    world
        .moderation
        .expect_blocked_either_way()
        .returning(|_| Ok(vec![BEN]));
    world.users.expect_find().returning(|_| Ok(Some(ben())));
    world.users.expect_list().returning(|_, _, _| {
        Ok(Page {
            items: vec![ben()],
            next: None,
        })
    });
    let with_ben = || ChatView {
        members: vec![
            member(user(ANA, "ana"), MemberRole::Owner),
            member(ben(), MemberRole::Member),
        ],
        ..group()
    };
    world.chats.expect_find().returning(move |_, _| Ok(Some(with_ben())));
    world.chats.expect_list_members().returning(|_, _, _| {
        Ok(Page {
            items: vec![member(ben(), MemberRole::Member)],
            next: None,
        })
    });
    let api = world.start();
    let unseen = |user: &Value| {
        assert_eq!(user["id"], BEN.to_string());
        assert_eq!((&user["online"], &user["last_seen_at"]), (&json!(false), &Value::Null));
    };
    unseen(&api.get(&format!("/users/{BEN}")).await.json(200));
    unseen(&api.get("/users").await.json(200)["items"][0]);
    let chat = api.get(&format!("/chats/{CHAT}")).await.json(200);
    unseen(&chat["members"][1]["user"]);
    assert_eq!(chat["members"][0]["user"]["online"], true);
    unseen(&api.get(&format!("/chats/{CHAT}/members")).await.json(200)["items"][0]["user"]);
}

#[actix_web::test]
async fn without_blocks_nobody_is_asked_about_them() {
    let mut world = World::new();
    let page = || Page {
        items: vec![member(ben(), MemberRole::Member)],
        next: None,
    };
    world.chats.expect_find().returning(|_, _| Ok(Some(group())));
    world.chats.expect_list_members().returning(move |_, _, _| Ok(page()));
    let api = world.start();
    let members = api.get(&format!("/chats/{CHAT}/members")).await.json(200);
    let seen = &members["items"][0]["user"];
    assert_eq!(
        (&seen["online"], &seen["last_seen_at"]),
        (&json!(true), &json!(NOW_TEXT))
    );
}

#[actix_web::test]
async fn only_who_shares_a_chat_is_seen_to_be_there() {
    let eva = UserId::from_uuid(Uuid::from_u128(0xE));
    let there = move |id: UserId| User { id, ..ben() };
    let mut world = World::new();
    world
        .events
        .expect_acquaintances()
        .times(3)
        .returning(move |viewer, others, _| {
            assert_eq!(viewer, ANA);
            assert!(!others.contains(&ANA), "oneself is always seen");
            Ok(others.into_iter().filter(|other| *other == BEN).collect())
        });
    world.users.expect_find().returning(move |id| Ok(Some(there(id))));
    world.users.expect_list().returning(move |_, _, _| {
        Ok(Page {
            items: [ANA, BEN, eva].map(there).to_vec(),
            next: None,
        })
    });
    let api = world.start();
    let seen = |user: &Value, is_seen: bool| {
        let last_seen = if is_seen { json!(NOW_TEXT) } else { Value::Null };
        assert_eq!((&user["online"], &user["last_seen_at"]), (&json!(is_seen), &last_seen));
    };
    seen(&api.get(&format!("/users/{BEN}")).await.json(200), true);
    seen(&api.get(&format!("/users/{eva}")).await.json(200), false);
    seen(&api.get(&format!("/users/{ANA}")).await.json(200), true);
    let list = api.get("/users").await.json(200);
    for (n, is_seen) in [true, true, false].into_iter().enumerate() {
        seen(&list["items"][n], is_seen);
    }
}

#[actix_web::test]
async fn an_admin_sees_no_more_of_a_chat_of_others() {
    let mut world = World::new().with_caller(Caller {
        role: Role::Admin,
        ..CALLER
    });
    let asked = world.events.expect_acquaintances().times(2);
    asked.returning(|_, others, _| {
        assert_eq!(others, [BEN]);
        Ok(vec![])
    });
    let outside = || ChatView {
        membership: None,
        members: vec![member(ben(), MemberRole::Owner)],
        ..group()
    };
    world.chats.expect_find().returning(move |_, _| Ok(Some(outside())));
    world.chats.expect_list_members().returning(|_, _, _| {
        Ok(Page {
            items: vec![member(ben(), MemberRole::Owner)],
            next: None,
        })
    });
    let api = world.start();
    let chat = api.get(&format!("/chats/{CHAT}")).await.json(200);
    let list = api.get(&format!("/chats/{CHAT}/members")).await.json(200);
    for user in [&chat["members"][0]["user"], &list["items"][0]["user"]] {
        assert_eq!((&user["online"], &user["last_seen_at"]), (&json!(false), &Value::Null));
    }
}

#[actix_web::test]
async fn a_list_of_chats_hides_the_other_party_of_a_blocked_one() {
    for blocked in [true, false] {
        let mut world = World::new();
        let view = ChatView {
            members: vec![
                member(user(ANA, "ana"), MemberRole::Member),
                member(ben(), MemberRole::Member),
            ],
            blocked,
            ..direct()
        };
        world.chats.expect_list().returning(move |_, _, _, _| {
            Ok(Page {
                items: vec![view.clone()],
                next: None,
            })
        });
        let api = world.start();
        let list = api.get("/chats").await.json(200);
        let members = &list["items"][0]["members"];
        assert_eq!(members[0]["user"]["online"], true);
        assert_eq!(members[1]["user"]["online"], !blocked);
        assert_eq!(members[1]["user"]["last_seen_at"].is_null(), blocked);
    }
}

fn report() -> Report {
    Report {
        id: REPORT,
        reporter_id: ANA,
        chat_id: CHAT,
        message_id: MESSAGE,
        seq: Seq::new(3).unwrap(),
        sender_id: BEN,
        body: Some("bad".into()),
        reason: Reason::new("rude").unwrap(),
        created_at: NOW,
        resolution: Some(Resolution {
            by: ANA,
            at: NOW,
            note: Reason::new("done").unwrap(),
        }),
    }
}

fn shown() -> Value {
    json!({
        "id": REPORT.to_string(), "reporter_id": ANA.to_string(), "chat_id": CHAT.to_string(),
        "message_id": MESSAGE.to_string(), "seq": 3, "sender_id": BEN.to_string(), "body": "bad", "reason": "rude",
        "created_at": NOW_TEXT, "resolution": {"by": ANA.to_string(), "at": NOW_TEXT, "note": "done"},
    })
}

#[actix_web::test]
async fn reporting() {
    let mut world = World::new();
    world.messages.expect_find().returning(|_, id, _| {
        let by_ben = Message {
            sender: Author {
                id: BEN,
                ..message("bad").sender
            },
            ..message("bad")
        };
        Ok((id == MESSAGE).then_some(MessageContext {
            message: by_ben,
            group: true,
            viewer: Some(MemberRole::Member),
        }))
    });
    world
        .moderation
        .expect_report()
        .withf(|new| new.reason.as_str() == "rude" && new.reporter_id == ANA)
        .returning(|_| Ok(Some(report())));
    let api = world.start();
    let path = format!("/chats/{CHAT}/messages/{MESSAGE}/reports");
    assert_eq!(api.post(&path, json!({"reason": " rude "})).await.json(201), shown());
    let fields = api
        .post(&path, json!({"reason": " "}))
        .await
        .problem(422, "invalid_input");
    assert_eq!(fields, errors(&[("reason", "invalid")]));
    let other = format!("/chats/{CHAT}/messages/{CHAT}/reports");
    api.post(&other, json!({"reason": "rude"}))
        .await
        .problem(404, "not_found");
}

fn admin() -> World {
    World::new().with_caller(Caller {
        role: Role::Admin,
        ..CALLER
    })
}

#[actix_web::test]
async fn reports_are_for_admins() {
    let mut world = admin();
    world.moderation.expect_list_reports().returning(|filter, after, _| {
        assert_eq!(after, (filter == ReportFilter::All).then_some(ReportCursor(REPORT)));
        Ok(Page {
            items: vec![report()],
            next: (filter != ReportFilter::All).then_some(ReportCursor(REPORT)),
        })
    });
    world
        .moderation
        .expect_resolve_report()
        .returning(|id, _, _, _| Ok((id == REPORT).then(report)));
    let api = world.start();
    let list = api.get("/admin/reports?status=open").await.json(200);
    assert_eq!(list["items"], json!([shown()]));
    let cursor = list["next_cursor"].as_str().unwrap();
    let last = api
        .get(&format!("/admin/reports?status=all&cursor={cursor}"))
        .await
        .json(200);
    assert_eq!(last["next_cursor"], Value::Null);
    api.get("/admin/reports?status=resolved").await.json(200);
    let fields = api.get("/admin/reports?status=x").await.problem(422, "invalid_input");
    assert_eq!(fields, errors(&[("status", "invalid")]));
    let resolve = async |id: String, body: Value| api.post(&format!("/admin/reports/{id}/resolve"), body).await;
    assert_eq!(
        resolve(REPORT.to_string(), json!({"note": "done"})).await.json(200),
        shown()
    );
    resolve(CHAT.to_string(), json!({"note": "done"}))
        .await
        .problem(404, "not_found");
    resolve(REPORT.to_string(), json!({}))
        .await
        .problem(422, "invalid_input");
}

#[actix_web::test]
async fn suspending() {
    let mut world = admin();
    world
        .moderation
        .expect_suspend()
        .returning(|user, by, reason, _| Ok(user == BEN && by == ANA && reason.as_str() == "rude"));
    world
        .moderation
        .expect_unsuspend()
        .returning(|user, _, _| Ok(user == BEN));
    world
        .moderation
        .expect_remove_message()
        .withf(|chat, _, _, reason, _| *chat == CHAT && reason.as_ref().map(Reason::as_str) == Some("too rude"))
        .returning(|_, message, _, _, _| Ok(message == MESSAGE));
    let api = world.start();
    let path = |id: &dyn std::fmt::Display| format!("/admin/users/{id}/suspension");
    api.put(&path(&BEN), json!({"reason": "rude"})).await.empty(204);
    api.put(&path(&CHAT), json!({"reason": "rude"}))
        .await
        .problem(404, "not_found");
    api.put(&path(&ANA), json!({"reason": "rude"}))
        .await
        .problem(422, "invalid_input");
    api.put(&path(&BEN), json!({})).await.problem(422, "invalid_input");
    api.delete(&path(&BEN)).await.empty(204);
    api.delete(&path(&CHAT)).await.problem(404, "not_found");
    let path = format!("/admin/chats/{CHAT}/messages");
    api.delete(&format!("{path}/{MESSAGE}?reason=too%20rude"))
        .await
        .empty(204);
    api.delete(&format!("{path}/{CHAT}?reason=too+rude"))
        .await
        .problem(404, "not_found");
    let fields = api
        .delete(&format!("{path}/{MESSAGE}"))
        .await
        .problem(422, "invalid_input");
    assert_eq!(fields, errors(&[("reason", "invalid")]));
}

#[actix_web::test]
async fn the_log() {
    let mut world = admin();
    world.moderation.expect_list_audit().returning(|after, _| {
        Ok(Page {
            items: vec![AuditEntry {
                number: 7,
                at: NOW,
                actor_id: ANA,
                action: AuditAction::Suspend,
                user_id: BEN,
                message_id: None,
                reason: Some(Reason::new("rude").unwrap()),
            }],
            next: after.is_none().then_some(AuditCursor(7)),
        })
    });
    let api = world.start();
    let page = api.get("/admin/audit").await.json(200);
    let entry = json!({
        "number": 7, "at": NOW_TEXT, "actor_id": ANA.to_string(), "action": "user.suspend", "user_id": BEN.to_string(),
        "message_id": null, "reason": "rude",
    });
    assert_eq!(page["items"], json!([entry]));
    let cursor = page["next_cursor"].as_str().unwrap();
    let last = api.get(&format!("/admin/audit?cursor={cursor}")).await.json(200);
    assert_eq!(last["next_cursor"], Value::Null);
}

#[actix_web::test]
async fn admins_only() {
    let api = World::new().start();
    api.get("/admin/reports").await.problem(403, "forbidden");
    api.get("/admin/audit").await.problem(403, "forbidden");
    let settle = format!("/admin/reports/{REPORT}/resolve");
    api.post(&settle, json!({"note": "x"})).await.problem(403, "forbidden");
    let suspension = format!("/admin/users/{BEN}/suspension");
    api.put(&suspension, json!({"reason": "x"}))
        .await
        .problem(403, "forbidden");
    api.delete(&suspension).await.problem(403, "forbidden");
    let removal = format!("/admin/chats/{CHAT}/messages/{MESSAGE}?reason=x");
    api.delete(&removal).await.problem(403, "forbidden");
}
