//! Whatever happens at the same time, in whatever order it is heard of: everybody is told everything once, in order.

use super::fake_events::{FakeEvents, chat_id};
use super::{Bookmark, Delivery, Hub, Listener, LiveEvent, Resume};
use crate::ports::MockEventBus;
use crate::testing::{ANA, BEN, EVA};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use tertulia_domain::{Change, ChatId, ClaimedSession, EventSeq, Message, SessionId, UserId};
use uuid::Uuid;

const USERS: [UserId; 3] = [ANA, BEN, EVA];
const CHATS: u8 = 3;

/// One thing that happens next. What can't happen then does not.
#[derive(Debug, Clone)]
enum Step {
    Create {
        chat: u8,
        users: Vec<bool>,
    },
    Send {
        chat: u8,
        user: usize,
    },
    Read {
        chat: u8,
        user: usize,
    },
    Add {
        chat: u8,
        user: usize,
    },
    Remove {
        chat: u8,
        user: usize,
    },
    Delete {
        chat: u8,
    },
    /// One of those who were committed tells of it, not the oldest one always.
    Tell {
        which: usize,
    },
    /// It dies before it tells.
    Lose {
        which: usize,
    },
    Connect {
        client: usize,
    },
    /// With what was brought, taken until then, and a token that was brought or kept by the client itself.
    Disconnect {
        client: usize,
        asks: bool,
    },
    Take {
        client: usize,
    },
    /// Somebody goes on until they have to wait again.
    Run {
        which: usize,
    },
    LookAround,
    MendGaps,
}

fn step() -> impl Strategy<Value = Step> {
    let chat = || 0..CHATS;
    let user = || 0..USERS.len();
    let any_client = || 0..USERS.len() * 2;
    prop_oneof![
        2 => (chat(), proptest::collection::vec(any::<bool>(), 3)).prop_map(|(chat, users)| Step::Create { chat, users }),
        6 => (chat(), user()).prop_map(|(chat, user)| Step::Send { chat, user }),
        2 => (chat(), user()).prop_map(|(chat, user)| Step::Read { chat, user }),
        3 => (chat(), user()).prop_map(|(chat, user)| Step::Add { chat, user }),
        3 => (chat(), user()).prop_map(|(chat, user)| Step::Remove { chat, user }),
        1 => chat().prop_map(|chat| Step::Delete { chat }),
        8 => any::<usize>().prop_map(|which| Step::Tell { which }),
        1 => any::<usize>().prop_map(|which| Step::Lose { which }),
        4 => any_client().prop_map(|client| Step::Connect { client }),
        1 => (any_client(), any::<bool>()).prop_map(|(client, asks)| Step::Disconnect { client, asks }),
        2 => any_client().prop_map(|client| Step::Take { client }),
        24 => any::<usize>().prop_map(|which| Step::Run { which }),
        1 => Just(Step::LookAround),
        1 => Just(Step::MendGaps),
    ]
}

enum News {
    Sent(Box<Message>, EventSeq),
    Changed(ChatId, Vec<UserId>),
}

/// Somebody who comes and goes, and goes on where they were.
struct Client {
    session: ClaimedSession,
    /// How often they came.
    times: usize,
    token: Option<String>,
    listener: Option<(Listener, Bookmark)>,
    connecting: bool,
    told: BTreeMap<ChatId, Vec<Told>>,
    /// Where they began at first.
    began: BTreeMap<ChatId, EventSeq>,
}

struct Told {
    seq: EventSeq,
    change: Change,
    time: usize,
}

impl Client {
    fn new(n: usize) -> Self {
        let session_id = SessionId::from_uuid(Uuid::from_u128(0x300 + u128::try_from(n).unwrap()));
        let user_id = USERS[n / 2];
        Self {
            session: ClaimedSession { session_id, user_id },
            times: 0,
            token: None,
            listener: None,
            connecting: false,
            told: BTreeMap::new(),
            began: BTreeMap::new(),
        }
    }

    fn hear(&mut self, event: &LiveEvent) {
        let told = Told {
            seq: event.seq,
            change: event.change.clone(),
            time: self.times,
        };
        self.told.entry(event.chat_id).or_default().push(told);
    }

    fn take(&mut self) {
        let Some((listener, mut bookmark)) = self.listener.take() else {
            return;
        };
        while let Some(delivery) = listener.try_next() {
            match delivery {
                Delivery::Event(event) => {
                    self.hear(&event);
                    bookmark.pass(&event);
                }
                Delivery::Token(token) => self.token = Some(token),
                Delivery::Typing { .. } | Delivery::Presence { .. } => {}
            }
        }
        self.listener = Some((listener, bookmark));
    }

    fn disconnect(&mut self, asks: bool) {
        if let Some((listener, _)) = &self.listener
            && asks
        {
            listener.ask_for_token();
        }
        self.take();
        if let Some((_, bookmark)) = self.listener.take()
            && !asks
        {
            self.token = Some(bookmark.token());
        }
    }
}

async fn connect(hub: Arc<Hub>, client: Arc<Mutex<Client>>) {
    let (session, token) = {
        let client = client.lock().unwrap();
        (client.session, client.token.clone())
    };
    let mut listener = hub.connect(session).await.unwrap();
    let mut bookmark = match &token {
        Some(token) => Bookmark::at(token).unwrap(),
        None => listener.bookmark(),
    };
    if token.is_none() {
        client.lock().unwrap().began = listener.starts().collect();
    }
    client.lock().unwrap().times += 1;
    let from = token.map_or(Resume::Live, Resume::Token);
    let mut backlog = listener.resume(from).await.unwrap();
    while let Some(events) = backlog.next().await.unwrap() {
        for event in events {
            bookmark.pass(&event);
            client.lock().unwrap().hear(&event);
        }
    }
    for event in backlog.departures(&listener) {
        bookmark.pass(&event);
        client.lock().unwrap().hear(&event);
    }
    assert_eq!(backlog.reset(), []);
    let mut client = client.lock().unwrap();
    client.listener = Some((listener, bookmark));
    client.connecting = false;
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Something that goes on beside everything else.
struct Running {
    future: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Flag>,
}

impl Running {
    fn new(future: impl Future<Output = ()> + 'static) -> Self {
        Self {
            future: Box::pin(future),
            woken: Arc::new(Flag(AtomicBool::new(true))),
        }
    }

    /// Whether it has ended.
    fn run(&mut self) -> bool {
        self.woken.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.woken));
        self.future.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(())
    }
}

struct Play {
    events: Arc<FakeEvents>,
    hub: Arc<Hub>,
    clients: Vec<Arc<Mutex<Client>>>,
    news: Vec<News>,
    running: Vec<Running>,
}

impl Play {
    fn new() -> Self {
        let events = Arc::new(FakeEvents::interruptible());
        let mut bus = MockEventBus::new();
        bus.expect_publish().return_const(());
        let hub = Arc::new(Hub::over(Arc::clone(&events) as _, bus));
        let worker = || {
            let hub = Arc::clone(&hub);
            Running::new(async move { hub.work().await })
        };
        Self {
            running: vec![worker(), worker(), worker()],
            clients: (0..USERS.len() * 2)
                .map(|n| Arc::new(Mutex::new(Client::new(n))))
                .collect(),
            news: Vec::new(),
            events,
            hub,
        }
    }

    fn step(&mut self, step: Step) {
        let events = Arc::clone(&self.events);
        let mut db = events.db();
        let is_in = |chat: ChatId, user: usize| {
            db.chats
                .get(&chat)
                .is_some_and(|c| c.members.contains_key(&USERS[user]))
        };
        match step {
            Step::Create { chat, users } => {
                let users: Vec<UserId> = USERS
                    .into_iter()
                    .zip(users)
                    .filter(|(_, is_in)| *is_in)
                    .map(|(u, _)| u)
                    .collect();
                let chat = chat_id(chat);
                let never = !db.stays.iter().any(|stay| stay.chat_id == chat);
                if never && !users.is_empty() {
                    db.create(chat, &users);
                    self.news.push(News::Changed(chat, users));
                }
            }
            Step::Send { chat, user } if is_in(chat_id(chat), user) => {
                let (message, seq) = db.send(chat_id(chat), USERS[user]);
                self.news.push(News::Sent(Box::new(message), seq));
            }
            Step::Read { chat, user } if is_in(chat_id(chat), user) => {
                db.read(chat_id(chat), USERS[user]);
                self.news.push(News::Changed(chat_id(chat), vec![]));
            }
            Step::Add { chat, user } if db.chats.contains_key(&chat_id(chat)) && !is_in(chat_id(chat), user) => {
                db.add(chat_id(chat), USERS[user]);
                self.news.push(News::Changed(chat_id(chat), vec![USERS[user]]));
            }
            Step::Remove { chat, user } if is_in(chat_id(chat), user) => {
                db.remove(chat_id(chat), USERS[user]);
                self.news.push(News::Changed(chat_id(chat), vec![]));
            }
            Step::Delete { chat } if db.chats.contains_key(&chat_id(chat)) => {
                db.delete(chat_id(chat));
                self.news.push(News::Changed(chat_id(chat), vec![]));
            }
            Step::Tell { which } if !self.news.is_empty() => match self.news.swap_remove(which % self.news.len()) {
                News::Sent(message, seq) => self.hub.sent(&message, seq),
                News::Changed(chat, users) => self.hub.changed(chat, users),
            },
            Step::Lose { which } if !self.news.is_empty() => {
                self.news.swap_remove(which % self.news.len());
            }
            Step::Connect { client } => {
                let client = &self.clients[client];
                let mut new = client.lock().unwrap();
                if new.listener.is_none() && !new.connecting {
                    new.connecting = true;
                    self.running
                        .push(Running::new(connect(Arc::clone(&self.hub), Arc::clone(client))));
                }
            }
            Step::Disconnect { client, asks } => self.clients[client].lock().unwrap().disconnect(asks),
            Step::Take { client } => self.clients[client].lock().unwrap().take(),
            Step::Run { which } => {
                drop(db);
                let which = which % self.running.len();
                if self.running[which].run() {
                    self.running.remove(which);
                }
            }
            Step::LookAround => self.hub.look_around(),
            Step::MendGaps => self.hub.mend_gaps(),
            _ => {}
        }
    }

    /// Lets everybody do what there is to be done.
    fn settle(&mut self) {
        while self
            .running
            .iter()
            .any(|running| running.woken.0.load(Ordering::Relaxed))
        {
            self.running
                .retain_mut(|running| !running.woken.0.load(Ordering::Relaxed) || !running.run());
        }
    }

    /// What was lost on the way was lost; looking around finds it.
    fn end(&mut self) {
        for _ in 0..3 {
            self.settle();
            self.hub.look_around();
        }
        self.settle();
        self.clients.iter().for_each(|client| client.lock().unwrap().take());
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let db = self.events.db();
        for client in &self.clients {
            let client = client.lock().unwrap();
            let user = client.session.user_id;
            let stays = |chat: ChatId| {
                let own = db
                    .stays
                    .iter()
                    .filter(move |stay| (stay.chat_id, stay.user_id) == (chat, user));
                own.collect::<Vec<_>>()
            };
            let none = Vec::new();
            let chats: HashSet<ChatId> = db.stays.iter().map(|stay| stay.chat_id).collect();
            for chat in chats {
                let stays = stays(chat);
                let stay_of = |seq: EventSeq| {
                    stays
                        .iter()
                        .position(|stay| stay.first <= seq && stay.last.is_none_or(|last| seq <= last))
                };
                let told = client.told.get(&chat).unwrap_or(&none);
                let seqs: Vec<(i64, usize)> = told.iter().map(|told| (told.seq.get(), told.time)).collect();
                let story = format!(
                    "client {:?} of {user} in {chat}: {seqs:?}, began {:?}, was there {:?}",
                    client.session.session_id,
                    client.began.get(&chat),
                    stays
                        .iter()
                        .map(|stay| (stay.first.get(), stay.last.map(EventSeq::get)))
                        .collect::<Vec<_>>()
                );
                let mut before: Option<(EventSeq, usize)> = client.began.get(&chat).map(|seq| (*seq, 1));
                for Told { seq, change, time } in told {
                    let stay = stay_of(*seq);
                    prop_assert!(stay.is_some(), "{seq:?} was not for them; {story}");
                    let stay = stays[stay.unwrap()];
                    let is_end = stay.last == Some(*seq);
                    prop_assert_eq!(is_end, change.removes(user), "{:?} is the last; {}", seq, &story);
                    let next = before.is_some_and(|(before, _)| before.next() == *seq);
                    let first = stay.first == *seq && before.is_none_or(|(before, _)| before < *seq);
                    // Once they come again, only the end is told of a chat that they are not in any more.
                    let then = before.unwrap_or((EventSeq::ZERO, 1));
                    let away = is_end && then.0 < *seq && then.1 < *time;
                    // What nobody had read yet of a chat that was deleted can't be read any more.
                    let unread = !db.chats.contains_key(&chat) && before.is_none_or(|(before, _)| before < *seq);
                    prop_assert!(next || first || away || unread, "{seq:?} after {before:?}; {story}");
                    before = Some((*seq, *time));
                }
                // Nothing is left out at the end.
                if client.listener.is_none() {
                    continue;
                }
                let last = before.map(|(seq, _)| seq);
                if let Some(stay) = stays.last()
                    && stay.last.is_none()
                {
                    prop_assert_eq!(last, Some(db.chats[&chat].last()), "{}", &story);
                } else if let Some(stay) = last.and_then(stay_of) {
                    prop_assert_eq!(last, stays[stay].last, "{}", &story);
                }
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everybody_is_told_everything_once_and_in_order(steps in proptest::collection::vec(step(), 1..250)) {
        let mut play = Play::new();
        for step in steps {
            play.step(step);
        }
        play.end();
        play.check()?;
    }
}
