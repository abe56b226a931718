//! What is refused below what the repositories offer, or at the edge of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use support::{at, fresh};
use tertulia_adapters_postgres::test_support::TestDatabase;
use tertulia_domain::repository::{
    AppendError, AppendMessage, ChatRepository, FileRepository, MessageRepository, ModerationRepository, NewFile,
};
use tertulia_domain::{ClaimedSession, Digest, FileId, FileName, MediaType, MessageDraft, MessageId, ObjectKey, Seq};

#[tokio::test]
async fn the_log_is_only_ever_added_to() {
    let guard = TestDatabase::create();
    let database = guard.connect(1);
    let ana = support::person(&database, "ana").await;
    let luis = support::person(&database, "luis").await;
    database
        .moderation()
        .block(ana.user_id, luis.user_id, 10, at(1))
        .await
        .unwrap();
    let mut connection = PgConnection::establish(&guard.url()).unwrap();
    for change in [
        "UPDATE audit_log SET actor_id = user_id",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
    ] {
        let refused = diesel::sql_query(change).execute(&mut connection).unwrap_err();
        assert!(
            refused.to_string().contains("only ever added to"),
            "{change}: {refused}"
        );
    }
}

fn new_file(owner: ClaimedSession, object: &ObjectKey, millis: i64) -> NewFile {
    NewFile {
        id: FileId::from_uuid(fresh()),
        owner: owner.user_id,
        name: FileName::sanitise("notes.txt"),
        digest: Digest([1; 32]),
        object: object.clone(),
        size: 5,
        media_type: MediaType::new("text/plain").unwrap(),
        dimensions: None,
        public_key: None,
        at: at(millis),
    }
}

/// Somebody may be about to delete it.
#[tokio::test]
async fn an_object_that_is_due_is_no_longer_adopted() {
    let guard = TestDatabase::create();
    let database = guard.connect(1);
    let ana = support::person(&database, "ana").await;
    let files = database.files();
    let object = ObjectKey::from_string("object".to_owned());
    files.announce(&object, at(5)).await.unwrap();
    assert!(files.insert(new_file(ana, &object, 5)).await.unwrap().is_none());
    assert!(files.insert(new_file(ana, &object, 4)).await.unwrap().is_some());
}

/// The sender sees the file, waits for its lock, and then it is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_goes_while_it_is_sent_is_not_found() {
    let guard = TestDatabase::create();
    let database = guard.connect(2);
    let ana = support::person(&database, "ana").await;
    let chat_id = support::group(&database, ana).await;
    let object = ObjectKey::from_string("object".to_owned());
    database.files().announce(&object, at(5)).await.unwrap();
    let file = database
        .files()
        .insert(new_file(ana, &object, 1))
        .await
        .unwrap()
        .unwrap()
        .id;

    let mut connection = PgConnection::establish(&guard.url()).unwrap();
    connection.batch_execute("BEGIN; DELETE FROM files").unwrap();
    let message = AppendMessage {
        id: MessageId::from_uuid(fresh()),
        chat_id,
        session: ana,
        draft: MessageDraft::new(None, vec![file]).unwrap(),
        reply_to: None,
        addressee: None,
        at: at(1),
        claim: None,
    };
    let messages = database.messages();
    let sending = tokio::spawn(async move { messages.append(message).await });
    while diesel::sql_query("SELECT FROM pg_locks WHERE NOT granted")
        .execute(&mut connection)
        .unwrap()
        == 0
    {
        assert!(!sending.is_finished(), "it has to wait");
    }
    connection.batch_execute("COMMIT").unwrap();
    match sending.await.unwrap() {
        Err(AppendError::AttachmentNotFound(missing)) => assert_eq!(missing, file),
        other => panic!("{other:?}"),
    }
    let view = database.chats().find(chat_id, ana.user_id).await.unwrap().unwrap();
    assert_eq!(view.chat.last_seq, Seq::ZERO);
}
