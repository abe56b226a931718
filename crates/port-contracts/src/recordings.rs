//! Chats and members under an idempotency key.

use crate::Backend;
use crate::fixture::*;
use crate::moderation::new_report;
use futures_util::future::join_all;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use tertulia_domain::repository::{
    AddMember, AddMemberError, AppendError, AppendMessage, CreatedChat, InsertChatError, InsertFileError, InsertReportError,
    NewDirectChat, NewGroup, NewMember, ReportFilter,
};
use tertulia_domain::{ChatId, Claim, Limit, Message, Recorded, Recording, StoredAnswer};

/// A recording whose answers are these bytes, and what it was given to write down.
fn recording<T: Clone + Send + Sync + 'static>(
    claim: Claim,
    status: u16,
    body: &[u8],
) -> (Recording<T>, Arc<Mutex<Vec<T>>>) {
    let (given, body) = (Arc::new(Mutex::new(Vec::new())), body.to_vec());
    let log = Arc::clone(&given);
    let encode = move |value: &T| {
        log.lock().unwrap().push(value.clone());
        StoredAnswer { status, body: body.clone() }
    };
    (Recording { claim, encode: Arc::new(encode) }, given)
}

/// A recording whose answer is the word `answer`.
fn answering<T: Clone + Send + Sync + 'static>(claim: Claim) -> Recording<T> {
    recording(claim, 201, b"answer").0
}

fn replay_of<T: Debug>(recorded: Recorded<T>) -> StoredAnswer {
    match recorded {
        Recorded::Replayed(answer) => answer,
        Recorded::Fresh(value) => panic!("{value:?} happened again"),
    }
}

fn direct(creator: Person, other: Person) -> NewDirectChat {
    NewDirectChat { id: chat_id(), creator: creator.id, other: other.id, at: at(0) }
}

async fn chats_of(b: &Backend, person: Person) -> usize {
    b.chat_page(person, None, 100).await.items.len()
}

async fn insert_group(
    b: &Backend,
    owner: Person,
    claim: Claim,
) -> Result<Recorded<CreatedChat>, InsertChatError> {
    b.chats.insert_group(new_group(owner, &[]), Some(answering(claim))).await
}

/// Bytes that are no text.
const BYTES: &[u8] = &[0, 255, b'{', 0xc3, 0x28, b'\'', b'\\', 0];

pub async fn a_recorded_group_is_made_once(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let (first, given) = recording(claim(ana, "key", 1, at(10)), 201, BYTES);
    let made = fresh_of(b.chats.insert_group(new_group(ana, &[luis]), Some(first)).await.unwrap());
    assert!(made.created);
    assert_eq!(*given.lock().unwrap(), [made.clone()], "the answer is made of what is returned");
    let (again, given) = recording(claim(ana, "key", 1, at(20)), 500, b"another");
    let answer = replay_of(b.chats.insert_group(new_group(ana, &[luis]), Some(again)).await.unwrap());
    assert_eq!(answer, StoredAnswer { status: 201, body: BYTES.to_vec() });
    assert!(given.lock().unwrap().is_empty(), "a retry has nothing to write down");
    assert_eq!((chats_of(&b, ana).await, chats_of(&b, luis).await), (1, 1));
    // Whatever became of it.
    assert!(b.chats.delete(made.view.chat.id, at(9)).await.unwrap());
    let answer = replay_of(insert_group(&b, ana, claim(ana, "key", 1, at(30))).await.unwrap());
    assert_eq!(answer.body, BYTES);
    assert_eq!(chats_of(&b, ana).await, 0);
}

pub async fn a_recorded_file_is_stored_once(b: Backend) {
    let ana = b.person("ana").await;
    let [first, again, other, unannounced] = [1, 1, 2, 3].map(|bytes| new_file(ana, bytes));
    for new in [&first, &again, &other] {
        b.files.announce(&new.object, at(DAY)).await.unwrap();
    }
    let once = |new, key, fingerprint| {
        let (recording, given) = recording(claim(ana, key, fingerprint, at(1)), 201, BYTES);
        let stored = b.files.insert_once(new, recording);
        async move { (stored.await, given) }
    };
    // What is refused leaves the key free.
    let (refused, given) = once(unannounced.clone(), "key", 9).await;
    assert!(matches!(refused, Err(InsertFileError::Gone)), "{refused:?}");
    assert!(given.lock().unwrap().is_empty());
    let (stored, given) = once(first.clone(), "key", 1).await;
    let file = fresh_of(stored.unwrap());
    assert_eq!((file.id, &*given.lock().unwrap()), (first.id, &vec![file.clone()]));
    let (replayed, given) = once(again.clone(), "key", 1).await;
    assert_eq!(replay_of(replayed.unwrap()), StoredAnswer { status: 201, body: BYTES.to_vec() });
    assert!(given.lock().unwrap().is_empty());
    let (conflict, _) = once(other.clone(), "key", 2).await;
    assert!(matches!(conflict, Err(InsertFileError::KeyReused)), "{conflict:?}");
    assert!(b.is_stored(first.id).await);
    assert!(!b.is_stored(again.id).await && !b.is_stored(other.id).await && !b.is_stored(unannounced.id).await);
}

pub async fn a_recorded_report_is_made_once(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let [first, second] = [b.send(chat, luis, "spam", at(1)).await, b.send(chat, luis, "more", at(2)).await];
    let once = |message: &Message, key, fingerprint| {
        let (recording, given) = recording(claim(ana, key, fingerprint, at(3)), 201, BYTES);
        let made = b.moderation.report_once(new_report(ana, message, "spam", 3), recording);
        async move { (made.await, given) }
    };
    let elsewhere = Message { chat_id: chat_id(), ..first.clone() };
    let (refused, _) = once(&elsewhere, "key", 9).await;
    assert!(matches!(refused, Err(InsertReportError::NotFound)), "{refused:?}");
    let (made, given) = once(&first, "key", 1).await;
    assert_eq!(*given.lock().unwrap(), [fresh_of(made.unwrap())]);
    let (replayed, given) = once(&first, "key", 1).await;
    assert_eq!(replay_of(replayed.unwrap()), StoredAnswer { status: 201, body: BYTES.to_vec() });
    assert!(given.lock().unwrap().is_empty());
    let (conflict, _) = once(&second, "key", 2).await;
    assert!(matches!(conflict, Err(InsertReportError::KeyReused)), "{conflict:?}");
    let reports = b.moderation.list_reports(ReportFilter::All, None, Limit::DEFAULT).await.unwrap();
    assert_eq!(reports.items.len(), 1);
}

pub async fn a_recorded_direct_chat_is_made_once(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let (first, given) = recording(claim(ana, "key", 1, at(10)), 201, BYTES);
    let made = fresh_of(b.chats.insert_direct(direct(ana, luis), Some(first)).await.unwrap());
    assert!(made.created);
    assert_eq!(*given.lock().unwrap(), [made.clone()]);
    let again = Some(answering(claim(ana, "key", 1, at(20))));
    let answer = replay_of(b.chats.insert_direct(direct(ana, luis), again).await.unwrap());
    assert_eq!(answer, StoredAnswer { status: 201, body: BYTES.to_vec() });
    // Another key finds the chat there, and remembers that.
    let (other, given) = recording(claim(ana, "other", 1, at(30)), 200, b"");
    let found = fresh_of(b.chats.insert_direct(direct(ana, luis), Some(other)).await.unwrap());
    assert_eq!((found.created, found.view.chat.id), (false, made.view.chat.id));
    assert_eq!(*given.lock().unwrap(), [found]);
    let again = Some(answering(claim(ana, "other", 1, at(40))));
    let answer = replay_of(b.chats.insert_direct(direct(ana, luis), again).await.unwrap());
    assert_eq!(answer, StoredAnswer { status: 200, body: Vec::new() });
    assert_eq!(chats_of(&b, luis).await, 1);
}

pub async fn a_recorded_member_is_added_once(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[]).await;
    let add = async |recording| b.chats.add_member(new_member(chat, luis, at(5)), recording).await.unwrap();
    let (first, given) = recording(claim(ana, "key", 1, at(10)), 201, BYTES);
    let added = fresh_of(add(Some(first)).await);
    assert!(added.added);
    assert_eq!(*given.lock().unwrap(), [added.clone()]);
    let answer = replay_of(add(Some(answering(claim(ana, "key", 1, at(20))))).await);
    assert_eq!(answer, StoredAnswer { status: 201, body: BYTES.to_vec() });
    let (other, given) = recording(claim(ana, "other", 1, at(30)), 200, b"there");
    let there = fresh_of(add(Some(other)).await);
    assert_eq!(there, AddMember { added: false, ..added });
    assert_eq!(*given.lock().unwrap(), [there]);
    // A retry answers, and does not bring back who was taken out since.
    b.chats.remove_member(chat, luis.id, false, at(40)).await.unwrap();
    assert_eq!(replay_of(add(Some(answering(claim(ana, "key", 1, at(50))))).await).status, 201);
    assert_eq!(replay_of(add(Some(answering(claim(ana, "other", 1, at(50))))).await).body, b"there");
    assert_eq!(b.members(chat).await.len(), 1);
}

pub async fn a_key_stands_for_one_request(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[]).await;
    let all = async |key: &str, fingerprint| {
        let claim = || claim(ana, key, fingerprint, at(10));
        let message = AppendMessage { claim: Some(claim()), ..ana.message(chat, "hello", at(10)) };
        (
            b.chats.insert_group(new_group(ana, &[]), Some(answering(claim()))).await,
            b.chats.insert_direct(direct(ana, luis), Some(answering(claim()))).await,
            b.chats.add_member(new_member(chat, luis, at(10)), Some(answering(claim()))).await,
            b.messages.append(message).await,
        )
    };
    let before = chats_of(&b, ana).await;
    // One key for all kinds of creation, whichever came first.
    fresh_of(insert_group(&b, ana, claim(ana, "group", 1, at(5))).await.unwrap());
    fresh_of(b.chats.add_member(new_member(chat, luis, at(5)), Some(answering(claim(ana, "add", 1, at(5))))).await.unwrap());
    b.chats.remove_member(chat, luis.id, false, at(5)).await.unwrap();
    let message = AppendMessage { claim: Some(claim(ana, "send", 1, at(5))), ..ana.message(chat, "hello", at(5)) };
    b.messages.append(message).await.unwrap();
    for key in ["group", "add", "send"] {
        let (group, direct, member, message) = all(key, 2).await;
        assert_matches!(group, Err(InsertChatError::KeyReused));
        assert_matches!(direct, Err(InsertChatError::KeyReused));
        assert_matches!(member, Err(AddMemberError::KeyReused));
        assert_matches!(message, Err(AppendError::KeyReused));
    }
    assert_eq!(chats_of(&b, ana).await, before + 1);
    assert_eq!(chats_of(&b, luis).await, 0);
    assert_eq!(b.whole_history(chat, ana).await.len(), 1);
}

pub async fn a_key_is_looked_at_before_everything_else(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[]).await;
    fresh_of(b.chats.insert_direct(direct(ana, luis), Some(answering(claim(ana, "direct", 1, at(1))))).await.unwrap());
    fresh_of(b.chats.add_member(new_member(chat, luis, at(1)), Some(answering(claim(ana, "add", 1, at(1))))).await.unwrap());
    fresh_of(b.chats.insert_group(new_group(ana, &[luis]), Some(answering(claim(ana, "group", 1, at(1))))).await.unwrap());
    b.users.delete(luis.id, false, at(2)).await.unwrap();
    b.chats.delete(chat, at(9)).await.unwrap();
    // What could not be done any more is answered all the same.
    let again = b.chats.insert_direct(direct(ana, luis), Some(answering(claim(ana, "direct", 1, at(3))))).await;
    assert_eq!(replay_of(again.unwrap()).body, b"answer");
    let again = b.chats.insert_group(new_group(ana, &[luis]), Some(answering(claim(ana, "group", 1, at(3))))).await;
    assert_eq!(replay_of(again.unwrap()).body, b"answer");
    let again = b.chats.add_member(new_member(chat, luis, at(3)), Some(answering(claim(ana, "add", 1, at(3))))).await;
    assert_eq!(replay_of(again.unwrap()).body, b"answer");
    let other = b.chats.add_member(new_member(chat, luis, at(3)), Some(answering(claim(ana, "add", 2, at(3))))).await;
    assert_matches!(other, Err(AddMemberError::KeyReused));
}

pub async fn keys_are_per_user(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    for person in [ana, luis] {
        fresh_of(insert_group(&b, person, claim(person, "key", 1, at(10))).await.unwrap());
        fresh_of(insert_group(&b, person, claim(person, "KEY", 1, at(10))).await.unwrap());
    }
    for person in [ana, luis] {
        replay_of(insert_group(&b, person, claim(person, "key", 1, at(11))).await.unwrap());
        assert_eq!(chats_of(&b, person).await, 2);
    }
}

pub async fn a_key_is_remembered_for_a_day(b: Backend) {
    let ana = b.person("ana").await;
    let make = async |fingerprint, now| insert_group(&b, ana, claim(ana, "key", fingerprint, at(now))).await;
    fresh_of(make(1, 10).await.unwrap());
    replay_of(make(1, 10 + DAY).await.unwrap());
    assert_matches!(make(2, 10 + DAY).await, Err(InsertChatError::KeyReused));
    fresh_of(make(2, 11 + DAY).await.unwrap());
    replay_of(make(2, 11 + 2 * DAY).await.unwrap());
    assert_matches!(make(1, 11 + 2 * DAY).await, Err(InsertChatError::KeyReused));
    assert_eq!(chats_of(&b, ana).await, 2);
    // Forgotten, then used for a message; and the other way round.
    let chat = b.group(ana, &[]).await;
    let send = async |now| {
        let claim = Some(claim(ana, "key", 3, at(now)));
        b.messages.append(AppendMessage { claim, ..ana.message(chat, "hello", at(now)) }).await
    };
    let message = send(12 + 2 * DAY).await.unwrap();
    assert!(!message.replayed);
    assert_eq!(send(13 + 2 * DAY).await.unwrap().message, message.message);
    assert_matches!(make(4, 13 + 2 * DAY).await, Err(InsertChatError::KeyReused));
    fresh_of(make(4, 13 + 3 * DAY).await.unwrap());
    replay_of(make(4, 14 + 3 * DAY).await.unwrap());
}

pub async fn what_fails_is_not_remembered(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let key = |name: &str, fingerprint| claim(ana, name, fingerprint, at(10));
    let nobody = NewDirectChat { other: user_id(), ..direct(ana, luis) };
    let failed = b.chats.insert_direct(nobody, Some(answering(key("direct", 1)))).await;
    assert_matches!(failed, Err(InsertChatError::UserNotFound(_)));
    fresh_of(b.chats.insert_direct(direct(ana, luis), Some(answering(key("direct", 2)))).await.unwrap());

    let nobody = NewGroup { members: vec![luis.id, user_id()], ..new_group(ana, &[]) };
    let failed = b.chats.insert_group(nobody, Some(answering(key("group", 1)))).await;
    assert_matches!(failed, Err(InsertChatError::UserNotFound(_)));
    let made = b.chats.insert_group(new_group(ana, &[]), Some(answering(key("group", 2)))).await.unwrap();
    let chat = fresh_of(made).view.chat.id;

    let full = NewMember { most: 1, ..new_member(chat, luis, at(10)) };
    let failed = b.chats.add_member(full, Some(answering(key("add", 1)))).await;
    assert_matches!(failed, Err(AddMemberError::Full));
    let failed = b.chats.add_member(new_member(chat_id(), luis, at(10)), Some(answering(key("add", 2)))).await;
    assert_matches!(failed, Err(AddMemberError::ChatNotFound));
    let nobody = NewMember { user_id: user_id(), ..new_member(chat, luis, at(10)) };
    let failed = b.chats.add_member(nobody, Some(answering(key("add", 3)))).await;
    assert_matches!(failed, Err(AddMemberError::UserNotFound));
    fresh_of(b.chats.add_member(new_member(chat, luis, at(10)), Some(answering(key("add", 4)))).await.unwrap());
    assert_eq!((chats_of(&b, ana).await, chats_of(&b, luis).await), (2, 2));
}

/// One of the outcomes is fresh, all others replay its answer, which the encoder makes of what it was given.
fn assert_once<T: Debug, E: Debug>(outcomes: Vec<Result<Recorded<T>, E>>, body_of: impl Fn(&T) -> Vec<u8>) -> T {
    let (mut fresh, mut replayed) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome.unwrap() {
            Recorded::Fresh(value) => fresh.push(value),
            Recorded::Replayed(answer) => replayed.push(answer.body),
        }
    }
    assert_eq!(fresh.len(), 1, "{fresh:?}");
    assert_eq!(replayed, vec![body_of(&fresh[0]); 15]);
    fresh.remove(0)
}

/// The identifier of the chat that was made.
fn chat_bytes(made: &CreatedChat) -> Vec<u8> {
    made.view.chat.id.to_string().into_bytes()
}

pub async fn of_many_copies_at_once_one_happens(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat_recording = |key: &str| {
        let encode = |made: &CreatedChat| StoredAnswer { status: 201, body: chat_bytes(made) };
        Some(Recording { claim: claim(ana, key, 1, at(10)), encode: Arc::new(encode) })
    };
    let groups = (0..16).map(|_| b.chats.insert_group(new_group(ana, &[luis]), chat_recording("group")));
    let chat: ChatId = assert_once(join_all(groups).await, chat_bytes).view.chat.id;
    assert_eq!((chats_of(&b, ana).await, chats_of(&b, luis).await), (1, 1));

    let directs = (0..16).map(|_| b.chats.insert_direct(direct(ana, luis), chat_recording("direct")));
    assert!(assert_once(join_all(directs).await, chat_bytes).created);
    assert_eq!((chats_of(&b, ana).await, chats_of(&b, luis).await), (2, 2));

    let eva = b.person("eva").await;
    let body_of = |added: &AddMember| vec![u8::from(added.added)];
    let added = join_all((0..16).map(|_| {
        let encode = move |added: &AddMember| StoredAnswer { status: 201, body: body_of(added) };
        let recording = Recording { claim: claim(ana, "add", 1, at(10)), encode: Arc::new(encode) };
        b.chats.add_member(new_member(chat, eva, at(10)), Some(recording))
    }))
    .await;
    assert!(assert_once(added, body_of).added);
    assert_eq!(b.members(chat).await.len(), 3);
}
