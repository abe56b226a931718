//! Blocking, reporting, suspending, and the log of it all.

use crate::support::{Database, PASSWORD, Person, Server, on_each_database};
use serde_json::{Value, json};

on_each_database! {
    who_is_blocked_sends_no_direct_messages
    who_is_blocked_does_not_see_presence
    a_report_is_settled_by_an_admin
    a_suspended_user_is_out_at_once
    every_act_is_in_the_log
}

/// Ana, Ben, and an admin.
async fn people(database: &Database, server: &Server) -> [Person; 3] {
    let (ana, ben) = (server.register("ana").await, server.register("ben").await);
    database.make_admin("root");
    [ana, ben, server.log_in("root").await]
}

async fn who_is_blocked_sends_no_direct_messages(database: Database) {
    let server = Server::on(&database).await;
    let (ana, ben, eve) = (
        server.register("ana").await,
        server.register("ben").await,
        server.register("eve").await,
    );
    let direct = json!({"kind": "direct", "user_id": ben.id});
    let chat = ana.post("/chats", direct).await.is(201)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let group = ana.group("Both", &[&ben]).await;
    ana.send(&chat, "before").await;

    ben.put(&format!("/me/blocks/{}", ana.id), json!(null)).await.is(204);
    let messages = format!("/chats/{chat}/messages");
    for person in [&ana, &ben] {
        person
            .post(&messages, json!({"body": "x"}))
            .await
            .problem(403, "forbidden");
    }
    ben.put(&format!("/me/blocks/{}", eve.id), json!(null)).await.is(204);
    let new = eve.post("/chats", json!({"kind": "direct", "user_id": ben.id})).await;
    new.problem(403, "forbidden");
    // What was said stays, and so do groups.
    assert_eq!(ana.bodies(&chat).await, ["before"]);
    ana.send(&group, "in a group").await;

    let listed = ben.get("/me/blocks").await.is(200);
    let ids: Vec<&Value> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| &user["id"])
        .collect();
    assert_eq!(ids, [&json!(eve.id), &json!(ana.id)]);
    assert_eq!(ana.get("/me/blocks").await.is(200)["items"], json!([]));
    for _ in 0..2 {
        ben.delete(&format!("/me/blocks/{}", ana.id)).await.is(204);
    }
    ana.send(&chat, "after").await;
    ben.put(&format!("/me/blocks/{}", ben.id), json!(null))
        .await
        .problem(422, "invalid_input");
    let nobody = "/me/blocks/01900000-0000-7000-8000-000000000001";
    ben.put(nobody, json!(null)).await.problem(404, "not_found");
}

async fn who_is_blocked_does_not_see_presence(database: Database) {
    let server = Server::on(&database).await;
    let (ana, ben) = (server.register("ana").await, server.register("ben").await);
    let group = ana.group("Both", &[&ben]).await;
    ben.put(&format!("/me/blocks/{}", ana.id), json!(null)).await.is(204);
    for (viewer, other) in [(&ana, &ben), (&ben, &ana)] {
        let seen = viewer.get(&format!("/users/{}", other.id)).await.is(200);
        assert_eq!((&seen["online"], &seen["last_seen_at"]), (&json!(false), &json!(null)));
        let members = viewer.get(&format!("/chats/{group}/members")).await.is(200);
        for member in members["items"].as_array().unwrap() {
            let oneself = member["user"]["id"] == json!(viewer.id);
            assert_eq!(member["user"]["online"], json!(oneself));
        }
    }
}

async fn a_report_is_settled_by_an_admin(database: Database) {
    let server = Server::on(&database).await;
    let [ana, ben, root] = people(&database, &server).await;
    let eve = server.register("eve").await;
    let chat = ana.group("Reported", &[&ben]).await;
    let message = ben.send(&chat, "something vile").await;
    let path = format!("/chats/{chat}/messages/{}", message["id"].as_str().unwrap());
    let reports = format!("{path}/reports");
    let reason = json!({"reason": "insult"});
    eve.post(&reports, reason.clone()).await.problem(404, "not_found");
    ben.post(&reports, reason.clone()).await.problem(422, "invalid_input");
    assert_eq!(ana.post(&reports, json!({})).await.invalid_fields(), ["reason"]);
    let report = ana.post(&reports, reason).await.is(201);
    // What was said is kept, whatever becomes of it.
    ben.delete(&path).await.is(204);
    assert_eq!(report["body"], "something vile");

    ana.get("/admin/reports").await.problem(403, "forbidden");
    let open = root.get("/admin/reports").await.is(200);
    assert_eq!(open["items"], json!([report]));
    assert_eq!(
        (
            &report["reporter_id"],
            &report["sender_id"],
            &report["reason"],
            &report["resolution"]
        ),
        (&json!(ana.id), &json!(ben.id), &json!("insult"), &json!(null))
    );
    let resolve = format!("/admin/reports/{}/resolve", report["id"].as_str().unwrap());
    let note = json!({"note": "had a word with him"});
    ana.post(&resolve, note.clone()).await.problem(403, "forbidden");
    let resolved = root.post(&resolve, note).await.is(200);
    assert_eq!(resolved["resolution"]["by"], json!(root.id));
    let again = root.post(&resolve, json!({"note": "once more"})).await.is(200);
    assert_eq!(again, resolved);
    assert_eq!(root.get("/admin/reports").await.is(200)["items"], json!([]));
    for status in ["resolved", "all"] {
        let listed = root.get(&format!("/admin/reports?status={status}")).await.is(200);
        assert_eq!(listed["items"], json!([resolved]));
    }
    let unknown = "/admin/reports/01900000-0000-7000-8000-000000000001/resolve";
    root.post(unknown, json!({"note": "x"})).await.problem(404, "not_found");
}

async fn a_suspended_user_is_out_at_once(database: Database) {
    let server = Server::on(&database).await;
    let [ana, ben, root] = people(&database, &server).await;
    let key = json!({"name": "bot", "scopes": ["read"]});
    let key = ben.post("/me/keys", key).await.is(201);
    let bot = json!({"user": {"id": ben.id}, "access_token": key["key"], "refresh_token": ""});
    let bot = Person::from_session(&server, &bot);
    bot.get("/chats").await.is(200);
    let path = format!("/admin/users/{}/suspension", ben.id);
    let reason = json!({"reason": "spam"});
    ana.put(&path, reason.clone()).await.problem(403, "forbidden");
    root.put(&path, reason.clone()).await.is(204);
    for session in [&ben, &bot] {
        session.get("/chats").await.problem(401, "unauthenticated");
    }
    server.refresh(&ben.refresh).await.problem(401, "invalid_credentials");
    server.log_in_with("ben", PASSWORD).await.problem(403, "forbidden");
    // Whether the account is there is not told to those who don't know the password.
    let guess = server.log_in_with("ben", "not the password").await;
    guess.problem(401, "invalid_credentials");

    root.delete(&path).await.is(204);
    server.log_in("ben").await.get("/chats").await.is(200);
    let oneself = format!("/admin/users/{}/suspension", root.id);
    root.put(&oneself, reason).await.problem(422, "invalid_input");
}

async fn every_act_is_in_the_log(database: Database) {
    let server = Server::on(&database).await;
    let [ana, ben, root] = people(&database, &server).await;
    let chat = ana.group("Logged", &[&ben]).await;
    let message = ben.send(&chat, "something vile").await;
    let id = message["id"].as_str().unwrap();
    ana.put(&format!("/me/blocks/{}", ben.id), json!(null)).await.is(204);
    let reports = format!("/chats/{chat}/messages/{id}/reports");
    let report = ana.post(&reports, json!({"reason": "insult"})).await.is(201);
    let removal = format!("/admin/chats/{chat}/messages/{id}");
    ana.delete(&format!("{removal}?reason=x"))
        .await
        .problem(403, "forbidden");
    assert_eq!(root.delete(&removal).await.invalid_fields(), ["reason"]);
    root.delete(&format!("{removal}?reason=vile")).await.is(204);
    let shown = ana.get(&format!("/chats/{chat}/messages/{id}")).await.is(200);
    assert_eq!(shown["body"], json!(null));
    let suspension = format!("/admin/users/{}/suspension", ben.id);
    root.put(&suspension, json!({"reason": "again and again"}))
        .await
        .is(204);
    root.delete(&suspension).await.is(204);
    let resolve = format!("/admin/reports/{}/resolve", report["id"].as_str().unwrap());
    root.post(&resolve, json!({"note": "done"})).await.is(200);
    ana.delete(&format!("/me/blocks/{}", ben.id)).await.is(204);

    ana.get("/admin/audit").await.problem(403, "forbidden");
    let log = root.walk("/admin/audit", 2).await;
    let acts: Vec<_> = log
        .iter()
        .map(|entry| (entry["action"].as_str().unwrap(), entry["actor_id"].as_str().unwrap()))
        .collect();
    let (by_ana, by_root) = (ana.id.as_str(), root.id.as_str());
    assert_eq!(
        acts,
        [
            ("user.unblock", by_ana),
            ("report.resolve", by_root),
            ("user.unsuspend", by_root),
            ("user.suspend", by_root),
            ("message.remove", by_root),
            ("message.report", by_ana),
            ("user.block", by_ana),
        ]
    );
    assert!(log.iter().all(|entry| entry["user_id"] == json!(ben.id)));
    assert_eq!((&log[4]["reason"], &log[4]["message_id"]), (&json!("vile"), &json!(id)));
    // There is no way to change it.
    for answer in [
        root.delete("/admin/audit").await,
        root.post("/admin/audit", json!({})).await,
        root.put("/admin/audit", json!({})).await,
    ] {
        assert_eq!(answer.status, 405);
    }
}
