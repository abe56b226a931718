//! What the hub brings to whom, one thing after the other.

use super::fake_events::{FakeEvents, chat_id, event_seq};
use super::seat::MAX_WAITING;
use super::{Closing, ConnectError, Delivery, Hub, Listener, MAX_CONNECTIONS, Resume};
use crate::ports::{MockEventBus, Signal};
use crate::testing::{ANA, BEN, EVA, NOW, assert_matches};
use futures_core::Stream;
use std::collections::{HashSet, VecDeque};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use tertulia_domain::{ChatId, ClaimedSession, NodeId, SessionId, UserId};
use uuid::Uuid;

const NODE: NodeId = NodeId::from_uuid(Uuid::from_u128(51));

fn session(user_id: UserId, n: u128) -> ClaimedSession {
    let session_id = SessionId::from_uuid(Uuid::from_u128(0x300 + n));
    ClaimedSession { session_id, user_id }
}

struct Signals(VecDeque<Signal>);

impl Stream for Signals {
    type Item = Signal;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Signal>> {
        Poll::Ready(self.0.pop_front())
    }
}

struct Stage {
    db: Arc<FakeEvents>,
    hub: Arc<Hub>,
    published: Arc<Mutex<Vec<Signal>>>,
    heard: Arc<Mutex<VecDeque<Signal>>>,
}

impl Stage {
    /// Ana and those are in the first chat. Nobody knows anybody, so that presence does not come in between.
    fn with(others: &[UserId]) -> Self {
        let db = Arc::new(FakeEvents::with_chat(others));
        db.db().strangers.extend([ANA, BEN, EVA]);
        let (published, heard) = (
            Arc::<Mutex<Vec<Signal>>>::default(),
            Arc::<Mutex<VecDeque<_>>>::default(),
        );
        let mut bus = MockEventBus::new();
        let told = Arc::clone(&published);
        bus.expect_publish()
            .returning(move |signal| told.lock().unwrap().push(signal));
        let incoming = Arc::clone(&heard);
        bus.expect_subscribe()
            .returning(move || Box::pin(Signals(std::mem::take(&mut incoming.lock().unwrap()))));
        let hub = Arc::new(Hub::over(Arc::clone(&db) as _, bus));
        Self {
            db,
            hub,
            published,
            heard,
        }
    }

    /// Does all there is to do.
    fn work(&self) {
        let work = pin!(self.hub.work());
        assert_matches!(work.poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
    }

    /// Another node tells that.
    fn hear(&self, signal: Signal) {
        self.heard.lock().unwrap().push_back(signal);
        let listen = pin!(self.hub.listen());
        assert_matches!(listen.poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
        self.work();
    }

    async fn join(&self, session: ClaimedSession) -> Listener {
        let mut listener = self.hub.connect(session).await.unwrap();
        listener.resume(Resume::Live).await.unwrap();
        self.work();
        taken(&listener);
        listener
    }

    /// A message was sent here.
    fn sends(&self, chat: ChatId, user: UserId) {
        let (message, seq) = self.db.db().send(chat, user);
        self.hub.sent(&message, seq);
    }
}

/// What was brought until now, in words.
fn taken(listener: &Listener) -> Vec<String> {
    let word = |delivery| match delivery {
        Delivery::Event(event) => format!("{} {}", event.seq.get(), event.change.name()),
        Delivery::Typing { user_id, active, .. } => format!("typing {} {active}", user_id.as_uuid().as_u128()),
        Delivery::Presence { user_id, online, at } => {
            assert_eq!(at, NOW);
            format!("presence {} {online}", user_id.as_uuid().as_u128())
        }
        Delivery::Token(_) => "token".into(),
    };
    std::iter::from_fn(|| listener.try_next()).map(word).collect()
}

fn closing(listener: &Listener) -> Option<Closing> {
    let next = pin!(listener.next());
    match next.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(delivery)) => panic!("{delivery:?} was brought"),
        Poll::Ready(Err(closing)) => Some(closing),
        Poll::Pending => None,
    }
}

fn changed(chat_id: ChatId, users: &[UserId]) -> Signal {
    let users = users.to_vec();
    Signal::Changed { chat_id, users }
}

#[tokio::test]
async fn a_copy_is_brought_without_a_look_into_the_database() {
    let stage = Stage::with(&[BEN]);
    let (ana, ben) = (stage.join(session(ANA, 1)).await, stage.join(session(BEN, 2)).await);
    stage.db.db().calls.clear();
    stage.sends(chat_id(1), ANA);
    assert_eq!(taken(&ana), ["2 message.created"]);
    assert_eq!(taken(&ben), ["2 message.created"]);
    assert_eq!(stage.db.db().calls, [""; 0]);
    assert_eq!(stage.published.lock().unwrap().last(), Some(&changed(chat_id(1), &[])));
}

#[tokio::test]
async fn copies_wait_for_their_turn() {
    let stage = Stage::with(&[]);
    let ana = stage.join(session(ANA, 1)).await;
    let [second, third, fourth] = [(); 3].map(|()| stage.db.db().send(chat_id(1), ANA));
    for (message, seq) in [&fourth, &third, &fourth] {
        stage.hub.sent(message, *seq);
        assert_eq!(taken(&ana), [""; 0]);
    }
    stage.hub.sent(&second.0, second.1);
    assert_eq!(
        taken(&ana),
        ["2 message.created", "3 message.created", "4 message.created"]
    );
    stage.hub.sent(&third.0, third.1);
    stage.hub.mend_gaps();
    stage.work();
    assert_eq!(taken(&ana), [""; 0], "nothing twice");
}

#[tokio::test]
async fn what_did_not_come_by_itself_is_read() {
    let stage = Stage::with(&[]);
    let ana = stage.join(session(ANA, 1)).await;
    stage.db.db().read(chat_id(1), ANA);
    stage.sends(chat_id(1), ANA);
    assert_matches!(
        pin!(stage.hub.gap()).poll(&mut Context::from_waker(Waker::noop())),
        Poll::Ready(())
    );
    stage.hub.mend_gaps();
    stage.work();
    assert_eq!(taken(&ana), ["2 read.updated", "3 message.created"]);
}

#[tokio::test]
async fn what_nobody_told_is_found_by_looking_around() {
    let stage = Stage::with(&[]);
    let ana = stage.join(session(ANA, 1)).await;
    stage.db.db().send(chat_id(1), ANA);
    stage.db.db().create(chat_id(2), &[ANA]);
    stage.work();
    assert_eq!(taken(&ana), [""; 0]);
    stage.hub.look_around();
    stage.work();
    let mut found = taken(&ana);
    found.sort();
    assert_eq!(found, ["1 chat.created", "2 message.created"]);
    // The same when the bus says that something was lost.
    stage.db.db().send(chat_id(2), ANA);
    stage.db.db().create(chat_id(3), &[ANA]);
    stage.db.db().ended.insert(session(ANA, 2).session_id);
    let ended = stage.hub.connect(session(ANA, 2)).await.unwrap();
    stage.hear(Signal::Lost);
    let mut found = taken(&ana);
    found.sort();
    assert_eq!(found, ["1 chat.created", "2 message.created"]);
    assert_eq!(closing(&ended), Some(Closing::SessionEnded));
}

#[tokio::test]
async fn a_failure_delays_only() {
    let stage = Stage::with(&[]);
    let ana = stage.join(session(ANA, 1)).await;
    for delete in [false, true] {
        if delete {
            stage.db.db().delete(chat_id(1));
        } else {
            stage.db.db().read(chat_id(1), ANA);
        }
        // The chat can be looked for, but not what became of it.
        stage.db.db().failures = 1;
        stage.hub.changed(chat_id(1), vec![]);
        stage.work();
        assert_eq!(taken(&ana), [""; 0]);
        stage.hub.look_around();
        stage.work();
        assert_eq!(taken(&ana), [if delete { "3 chat.deleted" } else { "2 read.updated" }]);
    }
}

#[tokio::test]
async fn a_chat_whose_deletion_could_not_be_looked_up_is_looked_at_again() {
    let stage = Stage::with(&[]);
    let ana = stage.join(session(ANA, 1)).await;
    stage.db.db().delete(chat_id(1));
    let db = Arc::clone(&stage.db);
    stage.db.before_answering(move || db.db().failures = 1);
    stage.hub.changed(chat_id(1), vec![]);
    stage.work();
    assert_eq!(taken(&ana), [""; 0]);
    stage.hub.look_around();
    stage.work();
    assert_eq!(taken(&ana), ["2 chat.deleted"]);
}

#[tokio::test]
async fn who_comes_in_hears_everything_from_then_on() {
    let stage = Stage::with(&[]);
    let (ana, ben) = (stage.join(session(ANA, 1)).await, stage.join(session(BEN, 2)).await);
    stage.sends(chat_id(1), ANA);
    stage.db.db().add(chat_id(1), BEN);
    stage.hear(changed(chat_id(1), &[BEN]));
    stage.sends(chat_id(1), ANA);
    assert_eq!(
        taken(&ana),
        ["2 message.created", "3 member.added", "4 message.created"]
    );
    assert_eq!(taken(&ben), ["3 member.added", "4 message.created"]);
    stage.db.db().create(chat_id(2), &[BEN, EVA]);
    stage.hub.changed(chat_id(2), vec![BEN, EVA]);
    stage.work();
    assert_eq!(taken(&ben), ["1 chat.created"]);
    assert_eq!(taken(&ana), [""; 0]);
}

#[tokio::test]
async fn who_is_just_connecting_comes_in_as_well() {
    let stage = Stage::with(&[]);
    let _ana = stage.join(session(ANA, 1)).await;
    let (db, hub) = (Arc::clone(&stage.db), Arc::clone(&stage.hub));
    stage.db.before_answering(move || {
        db.db().add(chat_id(1), BEN);
        hub.changed(chat_id(1), vec![BEN]);
        let work = pin!(hub.work());
        assert_matches!(work.poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
    });
    let ben = stage.hub.connect(session(BEN, 2)).await.unwrap();
    assert!(ben.listens_to(chat_id(1)));
    stage.sends(chat_id(1), ANA);
    assert_eq!(taken(&ben), ["3 message.created"]);
}

/// The hub is behind: what it has yet to deliver was before they came.
#[tokio::test]
async fn who_comes_in_does_not_hear_what_was_before() {
    let stage = Stage::with(&[]);
    let ana = stage.join(session(ANA, 1)).await;
    stage.db.db().send(chat_id(1), ANA);
    stage.db.db().add(chat_id(1), BEN);
    stage.db.db().remove(chat_id(1), BEN);
    stage.db.db().send(chat_id(1), ANA);
    stage.db.db().add(chat_id(1), BEN);
    let ben = stage.join(session(BEN, 2)).await;
    let _ = taken(&ana);
    stage.sends(chat_id(1), ANA);
    assert_eq!(taken(&ana), ["7 message.created"]);
    assert_eq!(taken(&ben), ["7 message.created"], "and is still there");
}

#[tokio::test]
async fn who_is_taken_out_hears_nothing_from_then_on() {
    let stage = Stage::with(&[BEN]);
    let (ana, ben) = (stage.join(session(ANA, 1)).await, stage.join(session(BEN, 2)).await);
    stage.db.db().remove(chat_id(1), BEN);
    stage.sends(chat_id(1), ANA);
    stage.hub.changed(chat_id(1), vec![BEN]);
    stage.work();
    assert_eq!(taken(&ben), ["2 member.removed"]);
    assert!(!ben.listens_to(chat_id(1)) && !ben.typing(chat_id(1), true));
    assert_eq!(taken(&ana), ["2 member.removed", "3 message.created"]);
    stage.db.db().add(chat_id(1), BEN);
    stage.hub.changed(chat_id(1), vec![BEN]);
    stage.work();
    assert_eq!(taken(&ben), ["4 member.added"]);
}

#[tokio::test]
async fn who_is_taken_out_while_connecting_hears_nothing() {
    let stage = Stage::with(&[BEN]);
    let ana = stage.join(session(ANA, 1)).await;
    let (db, hub) = (Arc::clone(&stage.db), Arc::clone(&stage.hub));
    stage.db.before_answering(move || {
        db.db().remove(chat_id(1), BEN);
        hub.changed(chat_id(1), vec![]);
        let work = pin!(hub.work());
        assert_matches!(work.poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
    });
    let ben = stage.hub.connect(session(BEN, 2)).await.unwrap();
    stage.sends(chat_id(1), ANA);
    assert!(!ben.listens_to(chat_id(1)));
    assert_eq!(taken(&ben), [""; 0]);
    assert_eq!(taken(&ana), ["2 member.removed", "3 message.created"]);
}

#[tokio::test]
async fn an_old_list_of_chats_brings_nothing_again() {
    let stage = Stage::with(&[BEN]);
    let (_ana, ben) = (stage.join(session(ANA, 1)).await, stage.join(session(BEN, 2)).await);
    stage.sends(chat_id(1), ANA);
    assert_eq!(taken(&ben), ["2 message.created"]);
    stage.db.db().remove(chat_id(1), BEN);
    stage.hub.look_around();
    let (hub, db) = (Arc::clone(&stage.hub), Arc::clone(&stage.db));
    // Ben's chats have been looked up by one worker, when another tells that he is out.
    stage.hub.changed(chat_id(2), vec![BEN]);
    stage.db.db().add(chat_id(1), BEN);
    stage.work();
    assert_eq!(taken(&ben), ["3 member.removed", "4 member.added"]);
    db.before_answering({
        let db = Arc::clone(&db);
        move || {
            db.db().remove(chat_id(1), BEN);
            hub.changed(chat_id(1), vec![]);
            let work = pin!(hub.work());
            assert_matches!(work.poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
        }
    });
    stage.hub.changed(chat_id(2), vec![BEN]);
    stage.work();
    assert_eq!(taken(&ben), ["5 member.removed"]);
}

#[tokio::test]
async fn the_end_of_a_chat_is_told_as_each_departed() {
    let stage = Stage::with(&[BEN, EVA]);
    let (ana, ben) = (stage.join(session(ANA, 1)).await, stage.join(session(BEN, 2)).await);
    stage.db.db().send(chat_id(1), ANA);
    stage.db.db().remove(chat_id(1), BEN);
    stage.db.db().delete(chat_id(1));
    stage.hear(changed(chat_id(1), &[]));
    assert_eq!(taken(&ana), ["4 chat.deleted"]);
    assert_eq!(taken(&ben), ["3 member.removed"]);
    assert!(!ana.listens_to(chat_id(1)) && !ben.listens_to(chat_id(1)));
    stage.hub.look_around();
    stage.work();
    assert_eq!((taken(&ana), taken(&ben)), (vec![], vec![]));
}

#[tokio::test]
async fn who_does_not_take_what_is_brought_is_to_come_again() {
    let stage = Stage::with(&[BEN]);
    let (ana, ben) = (stage.join(session(ANA, 1)).await, stage.join(session(BEN, 2)).await);
    for _ in 0..MAX_WAITING {
        stage.sends(chat_id(1), ANA);
    }
    assert_eq!(taken(&ana).len(), MAX_WAITING);
    stage.sends(chat_id(1), ANA);
    assert_eq!(closing(&ben), Some(Closing::TooSlow));
    assert_eq!((taken(&ana).len(), closing(&ana)), (1, None));
}

#[tokio::test]
async fn what_is_forgotten_is_to_be_resumed() {
    let stage = Stage::with(&[]);
    let ana = stage.join(session(ANA, 1)).await;
    for _ in 0..3 {
        stage.db.db().read(chat_id(1), ANA);
    }
    stage.db.db().chats.get_mut(&chat_id(1)).unwrap().forgotten = event_seq(3);
    stage.hub.changed(chat_id(1), vec![]);
    stage.work();
    assert_eq!(closing(&ana), Some(Closing::Interrupted));
}

#[tokio::test]
async fn ended_sessions_are_closed() {
    let stage = Stage::with(&[BEN]);
    let sessions = [(ANA, 1), (ANA, 2), (ANA, 3), (BEN, 4)].map(|(user, n)| session(user, n));
    let mut listeners = Vec::new();
    for session in sessions {
        listeners.push(stage.join(session).await);
    }
    for listener in &listeners {
        taken(listener);
    }
    let closed = || listeners.iter().map(closing).collect::<Vec<_>>();
    let ended = Some(Closing::SessionEnded);
    stage.hub.sessions_ended(ANA, Some(sessions[0].session_id));
    assert_eq!(closed(), [ended, None, None, None], "at once");
    let signal = Signal::SessionsEnded {
        user_id: ANA,
        session_id: Some(sessions[0].session_id),
    };
    assert_eq!(stage.published.lock().unwrap().last(), Some(&signal));
    stage.db.db().ended.insert(sessions[1].session_id);
    let any = Signal::SessionsEnded {
        user_id: ANA,
        session_id: None,
    };
    stage.hear(any);
    assert_eq!(closed(), [ended, ended, None, None]);
    stage.db.db().ended.insert(sessions[3].session_id);
    stage.hub.look_at_sessions();
    stage.work();
    assert_eq!(closed(), [ended, ended, None, ended]);
    stage.hub.close_all();
    assert_eq!(closed(), [ended, ended, Some(Closing::Stopping), ended]);
}

#[tokio::test]
async fn typing_is_shown_to_the_others() {
    let stage = Stage::with(&[BEN]);
    let (ana, ben) = (stage.join(session(ANA, 1)).await, stage.join(session(BEN, 2)).await);
    let (second, eva) = (stage.join(session(ANA, 3)).await, stage.join(session(EVA, 4)).await);
    for listener in [&ana, &ben, &second, &eva] {
        taken(listener);
    }
    assert!(ana.typing(chat_id(1), true));
    assert!(!eva.typing(chat_id(1), true));
    assert!(!ana.typing(chat_id(2), true));
    assert_eq!(taken(&ben), ["typing 1 true"]);
    let signal = |active| Signal::Typing {
        chat_id: chat_id(1),
        user_id: ANA,
        active,
    };
    assert_eq!(stage.published.lock().unwrap().last(), Some(&signal(true)));
    stage.hear(signal(false));
    assert_eq!(taken(&ben), ["typing 1 false"]);
    assert_eq!([&ana, &second, &eva].map(|listener| taken(listener).len()), [0; 3]);
}

#[tokio::test]
async fn those_who_know_somebody_are_told_that_they_come_and_go() {
    let stage = Stage::with(&[BEN]);
    stage.db.db().strangers = [EVA].into();
    let (ana, eva) = (stage.join(session(ANA, 1)).await, stage.join(session(EVA, 2)).await);
    let ben = stage.join(session(BEN, 3)).await;
    let again = stage.join(session(BEN, 4)).await;
    drop(ben);
    stage.work();
    assert_eq!(taken(&ana), ["presence 2 true"]);
    drop(again);
    stage.work();
    assert_eq!(taken(&ana), ["presence 2 false"]);
    let signal = |online| Signal::Presence {
        user_id: BEN,
        online,
        at: NOW,
    };
    assert!(
        stage
            .published
            .lock()
            .unwrap()
            .ends_with(&[signal(true), signal(false)])
    );
    stage.hear(signal(true));
    assert_eq!(taken(&ana), ["presence 2 true"]);
    stage.db.db().stale.insert(BEN);
    stage.hub.keep_leases().await.unwrap();
    stage.work();
    assert_eq!(
        taken(&ana),
        ["presence 2 false"],
        "the node that Ben was connected to died"
    );
    assert_eq!(taken(&eva), [""; 0]);
    stage.hub.leave().await.unwrap();
    assert_eq!(stage.db.db().leases.len(), 0);
}

#[tokio::test]
async fn what_could_not_be_said_of_somebody_is_said_later() {
    let stage = Stage::with(&[]);
    let mut ana = Some(stage.hub.connect(session(ANA, 1)).await.unwrap());
    let lease = [(NODE, ANA)].into();
    // The hub asks about the chat as well.
    stage.db.db().failures = 2;
    stage.work();
    assert_eq!(stage.db.db().leases.len(), 0);
    stage.hub.keep_leases().await.unwrap();
    stage.work();
    assert_eq!(stage.db.db().leases, lease);
    ana.take();
    stage.db.db().failures = 1;
    stage.work();
    assert_eq!(stage.db.db().leases, lease);
    stage.hub.keep_leases().await.unwrap();
    stage.work();
    assert_eq!(stage.db.db().leases.len(), 0);
}

/// Two workers tell of one user, and the first is the slower one.
#[tokio::test]
async fn who_went_while_it_was_said_that_they_are_here_is_not_here() {
    let stage = Stage::with(&[]);
    let listener = Arc::new(Mutex::new(Some(stage.hub.connect(session(ANA, 1)).await.unwrap())));
    stage.db.before_answering(move || drop(listener.lock().unwrap().take()));
    stage.work();
    assert_eq!(stage.db.db().leases.len(), 0);
    let shown: HashSet<bool> = stage.published.lock().unwrap().iter().filter_map(online).collect();
    assert_eq!(shown.len(), 2, "and so was told");
}

fn online(signal: &Signal) -> Option<bool> {
    match signal {
        Signal::Presence { online, .. } => Some(*online),
        _ => None,
    }
}

#[tokio::test]
async fn nobody_has_too_many_connections() {
    let stage = Stage::with(&[]);
    let mut listeners = Vec::new();
    for n in 0..MAX_CONNECTIONS {
        listeners.push(
            stage
                .hub
                .connect(session(ANA, u128::try_from(n).unwrap()))
                .await
                .unwrap(),
        );
    }
    let one_more = stage.hub.connect(session(ANA, 99)).await;
    assert!(matches!(one_more, Err(ConnectError::TooMany)));
    assert_eq!(stage.hub.connections(), MAX_CONNECTIONS);
    listeners.pop();
    stage.hub.connect(session(ANA, 99)).await.unwrap();
    drop(listeners);
    assert_eq!(stage.hub.connections(), 0);
}
