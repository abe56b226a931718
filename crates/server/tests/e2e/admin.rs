//! `tertulia admin`, and what a service admin may do.

use crate::support::{Database, PASSWORD, Person, Server, command, on_each_database, run, run_with_input};
use serde_json::json;
use tertulia_domain::UserId;

on_each_database! {
    an_account_is_made_and_its_id_printed
    an_admin_reads_a_chat_without_being_in_it
    a_name_that_is_taken_is_a_failure
    the_schema_is_brought_up_to_date_first
}

fn create_user(database: &Database, arguments: &[&str]) -> std::process::Command {
    let mut command = command(&["admin", "create-user", "--log=warn", "--database-url", &database.url()]);
    command.args(arguments);
    command
}

async fn an_account_is_made_and_its_id_printed(database: Database) {
    let (code, id, log) = run(&mut create_user(
        &database,
        &[
            "--username=ana",
            "--password",
            PASSWORD,
            "--email=ana@example.org",
            "--display-name=Ana López",
        ],
    ));
    assert_eq!(code, 0, "{log}");
    let id = id.strip_suffix('\n').unwrap();
    assert!(UserId::parse(id).is_some(), "{id}");

    let server = Server::on(&database).await;
    let session = server.log_in_with("ana@example.org", PASSWORD).await.is(200);
    assert_eq!(session["user"]["id"], id);
    assert_eq!(session["user"]["role"], "user");
    assert_eq!(session["user"]["display_name"], "Ana López");
}

async fn an_admin_reads_a_chat_without_being_in_it(database: Database) {
    let server = Server::on(&database).await;
    // While the server runs, and with the password from standard input.
    let mut command = create_user(&database, &["--username=root", "--role=admin", "--password-stdin"]);
    let (code, _, log) = run_with_input(&mut command, &format!("{PASSWORD}\n"));
    assert_eq!(code, 0, "{log}");
    let session = server.log_in_with("root", PASSWORD).await.is(200);
    assert_eq!(session["user"]["role"], "admin");
    let admin = Person::from_session(&server, &session);

    let (ana, bob) = (server.register("ana").await, server.register("bob").await);
    let chat = ana.group("Private", &[]).await;
    let message = ana.send(&chat, "hello").await;
    let path = format!("/chats/{chat}");
    bob.get(&path).await.problem(404, "not_found");

    let seen = admin.get(&path).await.is(200);
    assert_eq!((&seen["title"], &seen["role"]), (&json!("Private"), &json!(null)));
    let messages = admin.get(&format!("{path}/messages")).await.is(200);
    assert_eq!(messages["items"], json!([message]));
    assert!(admin.walk("/chats", 100).await.is_empty());
    let message = format!("{path}/messages/{}", message["id"].as_str().unwrap());
    admin.delete(&message).await.is(204);
    assert_eq!(ana.get(&message).await.is(200)["body"], json!(null));
}

async fn a_name_that_is_taken_is_a_failure(database: Database) {
    let arguments = ["--username=ana", "--password", PASSWORD];
    assert_eq!(run(&mut create_user(&database, &arguments)).0, 0);
    let (code, id, log) = run(&mut create_user(&database, &arguments));
    assert_eq!((code, id.as_str()), (1, ""));
    assert_eq!(log, "tertulia: cannot make the account: the username is taken\n");
}

async fn the_schema_is_brought_up_to_date_first(database: Database) {
    let empty = database.without_schema();
    let (code, _, log) = run(&mut create_user(&empty, &["--username=ana", "--password", PASSWORD]));
    assert_eq!(code, 0, "{log}");
    Server::on(&empty).await.log_in("ana").await;
}

#[test]
fn what_makes_no_account_is_wrong_usage() {
    let data = tempfile::tempdir().unwrap();
    for (arguments, named) in [
        (&["--username=a", "--password", PASSWORD][..], "--username"),
        (&["--username=ana", "--password=short"], "8 to 128"),
        (&["--username=ana", "--password", PASSWORD, "--email=ana"], "--email"),
        (&["--username=ana", "--password", PASSWORD, "--role=owner"], "--role"),
        (&["--password", PASSWORD], "--username"),
        (&["--username=ana"], "--password-stdin"),
    ] {
        let mut command = command(&["admin", "create-user"]);
        let (code, _, log) = run(command.args(arguments).current_dir(data.path()));
        assert_eq!(code, 2, "{arguments:?}: {log}");
        assert!(log.contains(named), "{arguments:?}: {log}");
    }
    assert_eq!(data.path().read_dir().unwrap().count(), 0, "nothing was made");
}
