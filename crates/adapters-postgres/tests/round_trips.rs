//! The hot paths are one round trip each.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use std::sync::atomic::{AtomicUsize, Ordering};
use support::{at, fresh};
use tertulia_adapters_postgres::PgDatabase;
use tertulia_adapters_postgres::test_support::TestDatabase;
use tertulia_domain::idempotency::{Claim, Fingerprint, IdempotencyKey};
use tertulia_domain::repository::{
    AccountTokenRepository, AppendMessage, ChatRepository, FileRepository, ListMessages, MailDraft, MessageRepository,
    NewAccountToken, NewFile, SessionRepository, UserChanges, UserRepository,
};
use tertulia_domain::{
    ClaimedSession, Digest, Email, FileId, FileName, Limit, MailId, MediaType, MessageBody, MessageDraft, MessageId,
    MessageRange, ObjectKey, Seq,
};

static ROUND_TRIPS: AtomicUsize = AtomicUsize::new(0);

/// Counts what makes diesel wait for the server: to execute something, `BEGIN` and `COMMIT` included, and to prepare it.
struct Counter;

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { .. } | InstrumentationEvent::CacheQuery { .. } = event {
            ROUND_TRIPS.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Asserts that a call, made for the third time, is so many round trips. (By then it is prepared.)
async fn assert_round_trips(what: &str, expected: usize, call: impl AsyncFn()) {
    for _ in 0..2 {
        call().await;
    }
    ROUND_TRIPS.store(0, Ordering::SeqCst);
    call().await;
    assert_eq!(ROUND_TRIPS.load(Ordering::SeqCst), expected, "{what}");
}

#[tokio::test]
async fn hot_paths_are_one_round_trip() {
    set_default_instrumentation(|| Some(Box::new(Counter))).unwrap();
    let guard = TestDatabase::create();
    let database = guard.connect(1);
    let session = support::person(&database, "ana").await;
    let chat_id = support::group(&database, session).await;
    let (sessions, chats, messages) = (database.sessions(), database.chats(), database.messages());
    let message = |claim| AppendMessage {
        id: MessageId::from_uuid(fresh()),
        chat_id,
        session,
        draft: MessageDraft::text(MessageBody::new("hello".to_owned()).unwrap()),
        reply_to: None,
        addressee: None,
        at: at(1),
        claim,
    };
    let claim = |key: &str| Claim {
        user_id: session.user_id,
        key: IdempotencyKey::new(key).unwrap(),
        fingerprint: Fingerprint([1; 32]),
        at: at(1),
    };

    assert_round_trips("to find the caller", 1, async || {
        assert!(sessions.find_caller(session, at(1)).await.unwrap().is_some());
    })
    .await;
    assert_round_trips("to send", 1, async || {
        assert!(!messages.append(message(None)).await.unwrap().replayed);
    })
    .await;
    assert_round_trips("to send under a key", 1, async || {
        let key = fresh().to_string();
        assert!(!messages.append(message(Some(claim(&key)))).await.unwrap().replayed);
    })
    .await;
    messages.append(message(Some(claim("key")))).await.unwrap();
    assert_round_trips("to send again under a key", 1, async || {
        assert!(messages.append(message(Some(claim("key")))).await.unwrap().replayed);
    })
    .await;
    let object = ObjectKey::from_string("object".to_owned());
    database.files().announce(&object, at(1_000)).await.unwrap();
    let file = NewFile {
        id: FileId::from_uuid(fresh()),
        owner: session.user_id,
        name: FileName::sanitise("notes.txt"),
        digest: Digest([1; 32]),
        object,
        size: 5,
        media_type: MediaType::new("text/plain").unwrap(),
        dimensions: None,
        public_key: None,
        at: at(1),
    };
    let file = database.files().insert(file).await.unwrap().unwrap().id;
    assert_round_trips("to send a file", 1, async || {
        let draft = MessageDraft::new(None, vec![file]).unwrap();
        let sent = messages.append(AppendMessage { draft, ..message(None) }).await.unwrap();
        assert_eq!(sent.message.attachments().len(), 1);
    })
    .await;
    for range in [MessageRange::Newest, MessageRange::After(Seq::ZERO)] {
        let list = ListMessages {
            chat_id,
            session,
            range,
            limit: Limit::DEFAULT,
            at: at(1),
        };
        assert_round_trips("to read history", 1, async || {
            assert!(!messages.list(list).await.unwrap().items.is_empty());
        })
        .await;
    }
    assert_round_trips("to list chats", 1, async || {
        let page = chats.list(session, None, Limit::DEFAULT, at(1)).await.unwrap();
        assert_eq!(page.items.len(), 1);
    })
    .await;
    assert_round_trips("to look at a chat", 1, async || {
        assert!(chats.find(chat_id, session.user_id).await.unwrap().is_some());
    })
    .await;
    assert_resets_cost_the_same(&database, session).await;
}

/// Whether or not somebody has the address.
async fn assert_resets_cost_the_same(database: &PgDatabase, session: ClaimedSession) {
    let changes = UserChanges {
        email: Some(Some(Email::new("ana@example.org").unwrap())),
        ..UserChanges::default()
    };
    database.users().update(session.user_id, changes, at(1)).await.unwrap();
    let tokens = database.account_tokens();
    for address in ["ana@example.org", "nobody@example.org"] {
        let key = Email::new(address).unwrap().key();
        assert_round_trips("to ask for a reset", 1, async || {
            let mail = MailDraft {
                id: MailId::from_uuid(fresh()),
                subject: "reset".to_owned(),
                text: "token".to_owned(),
            };
            let token = NewAccountToken {
                hash: [1; 32],
                expires_at: at(1_000),
                mail,
                at: at(1),
            };
            tokens.issue_reset(&key, token).await.unwrap();
        })
        .await;
    }
}
