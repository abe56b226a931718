//! Whether SQLite parses the statements of the hot paths once.

use crate::connection::Purpose;
use crate::testing::{Fresh, at, direct, file, group, id, message, person};
use crate::{chats, messages, sessions};
use diesel::connection::{Connection, Instrumentation, InstrumentationEvent};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tertulia_domain::repository::{AppendMessage, ListMessages, ModerationRepository, RepositoryError};
use tertulia_domain::{Claim, Fingerprint, IdempotencyKey, Limit, MessageDraft, MessageId, MessageRange};
use tertulia_sql_support::TxError;

/// The statements that a connection ran, and those that it keeps prepared.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<(BTreeSet<String>, BTreeSet<String>)>>);

impl Instrumentation for Log {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        let (run, kept) = &mut *self.0.lock().unwrap();
        match event {
            InstrumentationEvent::StartQuery { query, .. } => {
                let text = query.to_string();
                run.insert(text.split(" -- binds").next().unwrap_or_default().to_owned());
            }
            InstrumentationEvent::CacheQuery { sql, .. } => {
                kept.insert(sql.to_owned());
            }
            _ => {}
        }
    }
}

impl Log {
    fn not_kept(&self) -> Vec<String> {
        let (run, kept) = &*self.0.lock().unwrap();
        assert!(kept.len() > 10, "{kept:?}");
        run.difference(kept).cloned().collect()
    }
}

#[tokio::test]
async fn hot_statements_are_prepared_once() {
    let fresh = Fresh::new();
    let database = fresh.open();
    let ana = person(&database, 1).await;
    let luis = person(&database, 2).await;
    let chat = group(&database, ana, 2).await;
    let log = Log::default();
    let mut conn = fresh.connect(Purpose::Write);
    conn.set_instrumentation(log.clone());

    let claim = Claim {
        user_id: ana.user_id,
        key: IdempotencyKey::new("key").unwrap(),
        fingerprint: Fingerprint([1; 32]),
        at: at(1),
    };
    messages::append(&mut conn, &message(chat, ana, 3)).unwrap();
    let file = AppendMessage {
        draft: MessageDraft::new(None, vec![file(&database, ana, 5).await]).unwrap(),
        ..message(chat, ana, 5)
    };
    messages::append(&mut conn, &file).unwrap();
    let answer = AppendMessage {
        reply_to: Some(MessageId::from_uuid(id(3))),
        claim: Some(claim),
        ..message(chat, ana, 4)
    };
    messages::append(&mut conn, &answer).unwrap();
    messages::append(&mut conn, &message(direct(&database, ana, luis, 6).await, ana, 6)).unwrap();
    // Somebody else's block: every direct chat is looked at then.
    let eve = person(&database, 7).await;
    let moderation = database.moderation();
    moderation.block(eve.user_id, ana.user_id, 10, at(1)).await.unwrap();
    let list = ListMessages {
        chat_id: chat,
        session: ana,
        range: MessageRange::Newest,
        limit: Limit::DEFAULT,
        at: at(1),
    };
    messages::list(&mut conn, list).unwrap();
    chats::list(&mut conn, ana, None, Limit::DEFAULT, at(1)).unwrap();
    let caller: Result<_, TxError<RepositoryError>> = sessions::find_caller(&mut conn, ana, at(1));
    assert!(caller.unwrap().is_some());
    assert_eq!(log.not_kept(), Vec::<String>::new());
}
