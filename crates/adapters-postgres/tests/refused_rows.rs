//! Rows that the domain refuses are named, whatever got them there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use diesel::prelude::*;
use tertulia_adapters_postgres::test_support::TestDatabase;
use tertulia_domain::repository::{ChatRepository, OverviewRepository, RepositoryError, UserRepository};

#[tokio::test]
async fn the_table_and_the_row_are_told() {
    let guard = TestDatabase::create();
    let database = guard.connect(1);
    let ana = support::person(&database, "ana").await;
    let chat_id = support::group(&database, ana).await;
    let mut connection = PgConnection::establish(&guard.url()).unwrap();

    diesel::sql_query(
        "INSERT INTO chat_notes (chat_id, text, sender_id, at, seq)
         SELECT chat_id, E'\\u0007', user_id, joined_at, 0 FROM memberships",
    )
    .execute(&mut connection)
    .unwrap();
    let refused = database.overviews().find(chat_id, ana.user_id).await.unwrap_err();
    assert_inconsistent(&refused, "chat_notes", &chat_id.to_string());

    diesel::sql_query("UPDATE chats SET title = ''")
        .execute(&mut connection)
        .unwrap();
    let refused = database.chats().find(chat_id, ana.user_id).await.unwrap_err();
    assert_inconsistent(&refused, "chats", &chat_id.to_string());

    diesel::sql_query(r#"UPDATE users SET profile = '{"a": null}'"#)
        .execute(&mut connection)
        .unwrap();
    let refused = database.users().find(ana.user_id).await.unwrap_err();
    assert_inconsistent(&refused, "users", &ana.user_id.to_string());
}

fn assert_inconsistent(error: &RepositoryError, expected_table: &str, expected_key: &str) {
    match error {
        RepositoryError::Inconsistent { table, key, .. } => {
            assert_eq!((*table, key.as_str()), (expected_table, expected_key));
        }
        other => panic!("{other:?}"),
    }
}
