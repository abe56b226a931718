use super::listener::{Heard, Told};
use super::sender::Sent;
use super::socket::Socket;
use crate::support::Person;
use serde_json::{Value, json};
use std::collections::HashMap;

/// A chat in which much happens.
#[derive(Clone)]
pub(super) struct Chat {
    pub(super) id: String,
    pub(super) number: i64,
    pub(super) group: bool,
    /// Somebody who is in it from beginning to end.
    pub(super) witness: String,
    /// Those who are in it at the beginning.
    pub(super) members: Vec<String>,
}

/// What happened in a chat, as the database has it.
pub(super) struct Truth {
    chat: Chat,
    /// 1, 2, 3, ...
    pub(super) events: Vec<Told>,
    /// As the history shows them, oldest first.
    pub(super) messages: Vec<Value>,
}

impl Truth {
    /// To be asked for when nothing happens any more, of a node that was just started.
    pub(super) async fn of(chat: &Chat, witness: &Person) -> Self {
        let shown = witness.chat(&chat.id).await;
        let last = shown["last_event_seq"].as_i64().unwrap();
        let mut socket = Socket::open(witness.api(), &witness.access).await.unwrap();
        let resume = json!({"type": "resume", "positions": {&chat.id: 0}});
        socket.say(&resume).await.unwrap();
        let mut events = Vec::new();
        loop {
            let frame = socket.next().await.unwrap();
            match frame["type"].as_str().unwrap() {
                "event" => {
                    let (of, told) = Told::from(&frame);
                    assert_eq!(of, chat.id, "nothing happens any more");
                    events.push(told);
                }
                "ready" => break,
                "reset" => panic!("{frame}"),
                _ => {}
            }
        }
        let numbers: Vec<i64> = events.iter().map(|told| told.seq).collect();
        assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "{}", chat.id);
        let mut messages = witness.walk(&format!("/chats/{}/messages", chat.id), 100).await;
        messages.reverse();
        let sent = events.iter().filter(|told| told.event == "message.created");
        let sent: Vec<&str> = sent.map(|told| told.about.as_str()).collect();
        let stored: Vec<&str> = messages.iter().map(|message| message["id"].as_str().unwrap()).collect();
        assert_eq!(sent, stored, "{}", chat.id);
        Self {
            chat: chat.clone(),
            events,
            messages,
        }
    }

    pub(super) fn last(&self) -> i64 {
        i64::try_from(self.events.len()).unwrap()
    }

    pub(super) fn stays_to_the_end(&self, user: &str) -> bool {
        self.stays(user).last().is_some_and(|(_, to)| *to == self.last())
    }

    fn at(&self, seq: i64) -> Option<&Told> {
        self.events.get(usize::try_from(seq - 1).ok()?)
    }

    /// The events for which somebody was in the chat: from each coming to each going, both included.
    fn stays(&self, user: &str) -> Vec<(i64, i64)> {
        let mut since = self.chat.members.iter().any(|member| member == user).then_some(1);
        let mut stays = Vec::new();
        for told in &self.events {
            if told.event == "member.added" && told.about.starts_with(user) {
                assert_eq!(since, None, "{told:?}");
                since = Some(told.seq);
            } else if told.event == "member.removed" && told.about == user {
                stays.push((since.take().unwrap(), told.seq));
            }
        }
        stays.extend(since.map(|since| (since, self.last())));
        stays
    }
}

/// Every message that was acknowledged is there, and none that was sent is there twice.
pub(super) fn messages(truths: &HashMap<String, Truth>, sent: &[Sent]) {
    let mut found: HashMap<(&str, &str), Vec<&str>> = HashMap::new();
    let mut ids: HashMap<&str, &Value> = HashMap::new();
    for (chat, truth) in truths {
        for message in &truth.messages {
            let id = message["id"].as_str().unwrap();
            assert!(ids.insert(id, message).is_none());
            if let Some(body) = message["body"].as_str() {
                let body = body.strip_prefix("edited ").unwrap_or(body);
                found.entry((chat, body)).or_default().push(id);
            }
        }
    }
    for sent in sent {
        let copies = found
            .get(&(&*sent.chat, &*sent.body))
            .map(Vec::as_slice)
            .unwrap_or_default();
        match &sent.id {
            Some(id) if sent.deleted => {
                assert!(ids.contains_key(id.as_str()), "{sent:?} is missing");
                assert!(copies.is_empty() || copies == [id], "{sent:?}: {copies:?}");
            }
            Some(id) => assert_eq!(copies, [id], "{sent:?}"),
            None => assert!(!sent.keyed && copies.len() <= 1, "{sent:?}: {copies:?}"),
        }
    }
}

/// Something that somebody should not have been told, or should have been.
pub(super) struct Complaint {
    pub(super) twice: bool,
    pub(super) text: String,
}

/// Who stayed to the end must have been told everything since they came, once and in order. Of earlier stays everything
/// up to some event, and perhaps the going: what was told to others while they were away and then no longer in the chat, is
/// none of their business.
pub(super) fn complaints(heard: &Heard, truths: &HashMap<String, Truth>) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let mut complain = |twice: bool, text: String| {
        complaints.push(Complaint {
            twice,
            text: format!("{} by {}: {text}", heard.who, heard.how),
        });
    };
    for strange in &heard.strange {
        complain(false, strange.clone());
    }
    for (chat, truth) in truths {
        let stays = truth.stays(&heard.who);
        let told = heard.chats.get(chat).map(Vec::as_slice).unwrap_or_default();
        let mut neighbours = told.iter().zip(told.iter().skip(1));
        if let Some((one, next)) = neighbours.find(|(one, next)| one.seq >= next.seq) {
            complain(true, format!("{chat}: {next:?} after {one:?}"));
            continue;
        }
        for told in told {
            if truth.at(told.seq) != Some(told) {
                complain(false, format!("{chat}: {told:?} is {:?}", truth.at(told.seq)));
            }
            if !stays.iter().any(|(from, to)| (*from..=*to).contains(&told.seq)) {
                complain(false, format!("{chat}: {told:?} is outside of {stays:?}"));
            }
        }
        for (n, (from, to)) in stays.iter().enumerate() {
            let mut within: Vec<i64> = told
                .iter()
                .map(|told| told.seq)
                .filter(|seq| (from..=to).contains(&seq))
                .collect();
            let complete = n + 1 == stays.len();
            if !complete && within.last() == Some(to) {
                within.pop();
            }
            let expected = if complete {
                *to
            } else {
                from - 1 + i64::try_from(within.len()).unwrap()
            };
            if within != (*from..=expected).collect::<Vec<_>>() {
                let gap = (*from..=expected).find(|seq| !within.contains(seq));
                complain(
                    false,
                    format!("{chat}: of {from} to {to}, {gap:?} is missing, of {stays:?}"),
                );
            }
        }
    }
    complaints
}
