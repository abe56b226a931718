//! Who is in a group, as what, and who follows whom.

use crate::support::{Database, Person, Server, on_each_database};
use serde_json::{Value, json};

on_each_database! {
    a_new_member_reads_everything_and_has_nothing_unread
    an_owner_who_leaves_is_followed_by_the_longest_standing_admin
    without_an_admin_the_longest_standing_member_follows
    the_last_to_leave_deletes_the_group
    roles_decide_who_may_do_what
    a_group_is_handed_over
}

async fn people<const N: usize>(server: &Server, names: [&str; N]) -> [Person; N] {
    let mut people = Vec::new();
    for name in names {
        people.push(server.register(name).await);
    }
    people.try_into().unwrap()
}

/// Username and role of each member, longest-standing first.
async fn roles(viewer: &Person, chat: &str) -> Vec<(String, String)> {
    let members = viewer.walk(&format!("/chats/{chat}/members"), 2).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let roles = members
        .iter()
        .map(|member| (text(&member["user"]["username"]), text(&member["role"])));
    roles.collect()
}

fn is(roles: &[(String, String)], expected: &[(&str, &str)]) {
    let roles: Vec<(&str, &str)> = roles
        .iter()
        .map(|(name, role)| (name.as_str(), role.as_str()))
        .collect();
    assert_eq!(roles, expected);
}

async fn add(by: &Person, chat: &str, who: &Person, role: &str) {
    let member = json!({"user_id": who.id, "role": role});
    by.post(&format!("/chats/{chat}/members"), member).await.is(201);
}

async fn a_new_member_reads_everything_and_has_nothing_unread(database: Database) {
    let server = Server::on(&database).await;
    let [ana, bob] = people(&server, ["ana", "bob"]).await;
    let chat = ana.group("Old", &[]).await;
    ana.send(&chat, "long ago").await;
    let path = format!("/chats/{chat}/members");
    let added = ana.post(&path, json!({"user_id": bob.id})).await.is(201);
    assert_eq!(
        (&added["user"]["username"], &added["role"]),
        (&json!("bob"), &json!("member"))
    );
    assert_eq!(bob.chat(&chat).await["unread_count"], 0);
    assert_eq!(bob.bodies(&chat).await, ["long ago"]);
    let again = ana
        .post(&path, json!({"user_id": bob.id, "role": "admin"}))
        .await
        .is(200);
    assert_eq!(
        (&again["role"], &again["joined_at"]),
        (&added["role"], &added["joined_at"])
    );
    assert_eq!(ana.chat(&chat).await["member_count"], 2);
}

async fn an_owner_who_leaves_is_followed_by_the_longest_standing_admin(database: Database) {
    let server = Server::on(&database).await;
    let [ana, bob, eve, kim] = people(&server, ["ana", "bob", "eve", "kim"]).await;
    let chat = ana.group("Succession", &[]).await;
    add(&ana, &chat, &bob, "member").await;
    add(&ana, &chat, &eve, "admin").await;
    add(&ana, &chat, &kim, "admin").await;
    ana.delete(&format!("/chats/{chat}/members/{}", ana.id)).await.is(204);
    ana.get(&format!("/chats/{chat}")).await.problem(404, "not_found");
    is(
        &roles(&bob, &chat).await,
        &[("bob", "member"), ("eve", "owner"), ("kim", "admin")],
    );
}

async fn without_an_admin_the_longest_standing_member_follows(database: Database) {
    let server = Server::on(&database).await;
    let [ana, bob, eve] = people(&server, ["ana", "bob", "eve"]).await;
    let chat = ana.group("Succession", &[]).await;
    add(&ana, &chat, &eve, "member").await;
    add(&ana, &chat, &bob, "member").await;
    // To delete the account is to leave.
    ana.delete("/me").await.is(204);
    is(&roles(&bob, &chat).await, &[("eve", "owner"), ("bob", "member")]);
}

async fn the_last_to_leave_deletes_the_group(database: Database) {
    let server = Server::on(&database).await;
    let [ana, bob] = people(&server, ["ana", "bob"]).await;
    let chat = ana.group("Short", &[&bob]).await;
    for person in [&ana, &bob] {
        person
            .delete(&format!("/chats/{chat}/members/{}", person.id))
            .await
            .is(204);
    }
    for person in [&ana, &bob] {
        person.get(&format!("/chats/{chat}")).await.problem(404, "not_found");
    }
}

async fn roles_decide_who_may_do_what(database: Database) {
    let server = Server::on(&database).await;
    let [ana, bob, eve, kim] = people(&server, ["ana", "bob", "eve", "kim"]).await;
    let chat = ana.group("Roles", &[&bob, &eve]).await;
    let members = format!("/chats/{chat}/members");
    let of = |person: &Person| format!("{members}/{}", person.id);

    // A member may add and remove nobody else, nobody may remove the owner.
    let kim_joins = json!({"user_id": kim.id});
    bob.post(&members, kim_joins.clone()).await.problem(403, "forbidden");
    bob.delete(&of(&eve)).await.problem(403, "forbidden");
    bob.delete(&of(&ana)).await.problem(403, "forbidden");
    bob.patch(&of(&bob), json!({"role": "admin"}))
        .await
        .problem(403, "forbidden");

    ana.patch(&of(&bob), json!({"role": "admin"})).await.is(200);
    bob.post(&members, kim_joins).await.is(201);
    bob.patch(&of(&eve), json!({"role": "admin"}))
        .await
        .problem(403, "forbidden");
    bob.delete(&of(&ana)).await.problem(403, "forbidden");
    bob.delete(&of(&eve)).await.is(204);
    bob.delete(&of(&eve)).await.problem(404, "not_found");
    eve.get(&format!("/chats/{chat}")).await.problem(404, "not_found");
    let second_owner = json!({"user_id": eve.id, "role": "owner"});
    assert_eq!(ana.post(&members, second_owner).await.invalid_fields(), ["role"]);
    is(
        &roles(&ana, &chat).await,
        &[("ana", "owner"), ("bob", "admin"), ("kim", "member")],
    );
}

async fn a_group_is_handed_over(database: Database) {
    let server = Server::on(&database).await;
    let [ana, bob] = people(&server, ["ana", "bob"]).await;
    let chat = ana.group("Handed over", &[&bob]).await;
    let of = |person: &Person| format!("/chats/{chat}/members/{}", person.id);
    ana.patch(&of(&ana), json!({"role": "member"}))
        .await
        .problem(409, "conflict");
    ana.patch(&of(&bob), json!({"role": "owner"})).await.is(200);
    let mut roles = roles(&ana, &chat).await;
    roles.sort();
    is(&roles, &[("ana", "admin"), ("bob", "owner")]);
}
