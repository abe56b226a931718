//! Sessions: how they go on, and how they end.

use crate::support::{Answer, Database, PASSWORD, Person, Server, eventually, on_each_database, value};
use reqwest::Method;
use serde_json::json;

on_each_database! {
    a_refresh_token_works_once
    of_two_uses_at_once_one_ends_the_session
    a_session_that_ended_in_one_process_has_ended_in_all
    sessions_are_listed_and_ended_one_by_one
    logging_out_everywhere_ends_all
    a_new_password_ends_the_other_sessions
    an_access_token_expires_and_the_session_goes_on
    a_session_that_is_not_refreshed_expires
    wrong_credentials_are_all_the_same
}

async fn a_refresh_token_works_once(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let renewed = Person::from_session(&server, &server.refresh(&ana.refresh).await.is(200));
    assert_ne!((&renewed.access, &renewed.refresh), (&ana.access, &ana.refresh));
    // Both access tokens are of the one session, which lives.
    ana.get("/me").await.is(200);
    renewed.get("/me").await.is(200);

    server.refresh(&ana.refresh).await.problem(401, "invalid_credentials");
    for token in [&ana, &renewed] {
        token.get("/me").await.problem(401, "unauthenticated");
    }
    server
        .refresh(&renewed.refresh)
        .await
        .problem(401, "invalid_credentials");
    server.refresh("nonsense").await.problem(401, "invalid_credentials");
}

async fn of_two_uses_at_once_one_ends_the_session(database: Database) {
    let server = Server::on(&database).await;
    let ana = server.register("ana").await;
    let (one, other) = tokio::join!(server.refresh(&ana.refresh), server.refresh(&ana.refresh));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    ana.get("/me").await.problem(401, "unauthenticated");
}

async fn a_session_that_ended_in_one_process_has_ended_in_all(database: Database) {
    let (here, there) = tokio::join!(Server::on(&database), Server::on(&database));
    let ana = here.register("ana").await;
    let ana_there = ana.at(&there);
    let chat = ana_there.group("Both", &[]).await;
    ana_there.send(&chat, "hello").await;

    ana.log_out().await;
    // On the ways that look at the session in their own statement, and on the others.
    let messages = format!("/chats/{chat}/messages");
    ana_there.get("/me").await.problem(401, "unauthenticated");
    ana_there.get("/chats").await.problem(401, "unauthenticated");
    ana_there.get(&messages).await.problem(401, "unauthenticated");
    let refused = ana_there.post(&messages, json!({"body": "still there?"})).await;
    refused.problem(401, "unauthenticated");
    there.refresh(&ana.refresh).await.problem(401, "invalid_credentials");
}

async fn sessions_are_listed_and_ended_one_by_one(database: Database) {
    let server = Server::on(&database).await;
    let desk = server.register("ana").await;
    let body = json!({"login": "ANA", "password": PASSWORD, "device": "Ana's phone"});
    let phone = Person::from_session(&server, &server.post("/auth/login", body).await.is(200));

    let listed = desk.get("/auth/sessions").await.is(200);
    let listed = listed["items"].as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (&listed[0]["device"], &listed[0]["current"]),
        (&json!("Ana's phone"), &json!(false))
    );
    assert_eq!(
        (&listed[1]["device"], &listed[1]["current"]),
        (&json!(null), &json!(true))
    );
    assert_eq!(listed[0]["ip"], "127.0.0.1");

    let other = format!("/auth/sessions/{}", listed[0]["id"].as_str().unwrap());
    let stranger = server.register("bob").await;
    stranger.delete(&other).await.problem(404, "not_found");
    desk.delete(&other).await.is(204);
    phone.get("/me").await.problem(401, "unauthenticated");
    desk.delete(&other).await.problem(404, "not_found");
    assert_eq!(
        desk.get("/auth/sessions").await.is(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

async fn logging_out_everywhere_ends_all(database: Database) {
    let server = Server::on(&database).await;
    let desk = server.register("ana").await;
    let phone = server.log_in("ana").await;
    Answer::to(desk.request(Method::POST, "/auth/logout?all=true"))
        .await
        .is(204);
    for session in [&desk, &phone] {
        session.get("/me").await.problem(401, "unauthenticated");
    }
    server.log_in("ana").await;
}

async fn a_new_password_ends_the_other_sessions(database: Database) {
    let server = Server::on(&database).await;
    let desk = server.register("ana").await;
    let phone = server.log_in("ana").await;
    let change = |current: &str| json!({"current_password": current, "new_password": "another horse"});

    let refused = desk.put("/me/password", change("not the password")).await;
    refused.problem(403, "invalid_credentials");
    phone.get("/me").await.is(200);

    desk.put("/me/password", change(PASSWORD)).await.is(204);
    desk.get("/me").await.is(200);
    phone.get("/me").await.problem(401, "unauthenticated");
    server.refresh(&phone.refresh).await.problem(401, "invalid_credentials");
    let old = server.log_in_with("ana", PASSWORD).await;
    old.problem(401, "invalid_credentials");
    server.log_in_with("ana", "another horse").await.is(200);
}

async fn an_access_token_expires_and_the_session_goes_on(database: Database) {
    let server = Server::with(&database, |settings| settings.access_token_ttl = value("1s")).await;
    let ana = server.register("ana").await;
    let refused = eventually("the end of a token", async || {
        let answer = ana.get("/me").await;
        (answer.status != 200).then_some(answer)
    });
    refused.await.problem(401, "token_expired");
    let mut refresh_token = ana.refresh;
    // On a slow machine the new one may have expired by the time it is used.
    eventually("a token that is used in time", async || {
        let renewed = server.refresh(&refresh_token).await.is(200);
        assert_eq!(renewed["expires_in"], 1);
        let renewed = Person::from_session(&server, &renewed);
        refresh_token.clone_from(&renewed.refresh);
        (renewed.get("/me").await.status == 200).then_some(())
    })
    .await;
}

async fn a_session_that_is_not_refreshed_expires(database: Database) {
    let server = Server::with(&database, |settings| settings.session_ttl = value("1s")).await;
    let ana = server.register("ana").await;
    let refused = eventually("the end of a session", async || {
        let answer = ana.get("/me").await;
        (answer.status != 200).then_some(answer)
    });
    refused.await.problem(401, "unauthenticated");
    server.refresh(&ana.refresh).await.problem(401, "invalid_credentials");
}

async fn wrong_credentials_are_all_the_same(database: Database) {
    let server = Server::on(&database).await;
    server.register("ana").await;
    let bodies = [
        server.log_in_with("ana", "not the password").await,
        server.log_in_with("nobody", PASSWORD).await,
        server.log_in_with("a b", PASSWORD).await,
        server.log_in_with("nobody@example.org", PASSWORD).await,
        server.log_in_with("ana", "short").await,
    ]
    .map(|answer| {
        let mut problem = answer.problem(401, "invalid_credentials");
        problem["request_id"].take();
        problem
    });
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}
