//! Processes and the bus are killed again and again, and nobody misses anything or is told twice.

mod cluster;
mod listener;
mod proof;
mod random;
mod sender;
mod socket;

mod postgres {
    use super::{Plan, run};

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn everybody_is_told_everything_once_and_in_order() {
        run(Plan::given()).await;
    }
}

use crate::support::{Database, Person};
use cluster::Cluster;
use futures_util::future::join_all;
use listener::{How, Listener};
use proof::{Chat, Truth};
use random::Random;
use sender::{Keeper, Sender};
use serde_json::json;
use std::collections::HashMap;
use std::env;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Those who come and go in groups; the others are in their chats from beginning to end.
const GUESTS: usize = 12;
const PEOPLE: usize = 50;
const GROUPS: usize = 6;
const SENDERS: usize = 12;

/// What is left to chance, and for how long. `CHAOS_SEED` and `CHAOS_SECONDS` say otherwise.
struct Plan {
    seed: u64,
    lasting: Duration,
}

impl Plan {
    fn given() -> Self {
        let number = |name| env::var(name).ok().map(|text: String| text.parse().unwrap());
        // Another each time, and said so that it can be had again.
        let any = || RandomState::new().hash_one(0);
        Self {
            seed: number("CHAOS_SEED").unwrap_or_else(any),
            lasting: Duration::from_secs(number("CHAOS_SECONDS").unwrap_or(10)),
        }
    }
}

/// What listeners go by: for each of them the last event of each chat that they are in, once nothing happens any more.
type Ends = Option<Arc<HashMap<String, HashMap<String, i64>>>>;

async fn run(plan: Plan) {
    println!("CHAOS_SEED={} CHAOS_SECONDS={}", plan.seed, plan.lasting.as_secs());
    let mut random = Random::of(plan.seed);
    let database = Database::postgres();
    let cluster = Arc::new(Cluster::start(&database).await);
    let people = join_all((0..PEOPLE).map(|n| {
        let api = cluster.api(n);
        async move { api.register(&format!("person-{n}")).await }
    }))
    .await;
    let (guests, others) = people.split_at(GUESTS);
    let chats = make_chats(others, guests).await;

    let (ends_sender, ends) = watch::channel(None);
    let mut listeners = JoinSet::new();
    for (n, person) in people.iter().enumerate() {
        let how = match n % 6 {
            0 => How::Stream,
            1 => How::Poll,
            2 | 3 => How::Token,
            _ if n < GUESTS => How::Token,
            _ => How::Any,
        };
        let listener = Listener::of(person, how, Arc::clone(&cluster), random.child()).await;
        listeners.spawn(listener.run(ends.clone()));
    }
    let (stop, stopped) = watch::channel(false);
    let mut senders = JoinSet::new();
    for (n, own) in others.iter().take(SENDERS).cloned().enumerate() {
        let chats: Vec<Chat> = chats
            .iter()
            .filter(|chat| chat.members.contains(&own.id))
            .cloned()
            .collect();
        let sender = Sender::of(n, own, chats, Arc::clone(&cluster), random.child());
        senders.spawn(sender.run(stopped.clone()));
    }
    let groups: Vec<String> = chats
        .iter()
        .filter(|chat| chat.group)
        .map(|chat| chat.id.clone())
        .collect();
    let keeper = Keeper::of(&others[0], guests, groups, Arc::clone(&cluster), random.child());
    let keeper = tokio::spawn(keeper.run(stopped));

    let kills = kill(&cluster, plan.lasting, &mut random).await;
    stop.send_replace(true);
    let mut sent = Vec::new();
    for more in senders.join_all().await {
        sent.extend(more);
    }
    keeper.await.unwrap();
    // Everything starts anew, and nothing was kept but what is in the database.
    cluster.kill_all().await;
    cluster.start_all().await;

    let mut truths = HashMap::new();
    for chat in &chats {
        let witness = people.iter().find(|person| person.id == chat.witness).unwrap();
        truths.insert(chat.id.clone(), Truth::of(chat, &witness.at(&cluster.api(0))).await);
    }
    proof::messages(&truths, &sent);
    let last = |person: &Person| {
        let own = truths.iter().filter(|(_, truth)| truth.stays_to_the_end(&person.id));
        own.map(|(chat, truth)| (chat.clone(), truth.last())).collect()
    };
    let ends = people.iter().map(|person| (person.id.clone(), last(person)));
    ends_sender.send_replace(Some(Arc::new(ends.collect())));
    let heard = listeners.join_all().await;
    assert_eq!(heard.len(), PEOPLE);
    let mut complaints = Vec::new();
    for heard in &heard {
        complaints.extend(proof::complaints(heard, &truths));
    }
    let sum = |of: fn(&listener::Heard) -> usize| heard.iter().map(of).sum::<usize>();
    println!(
        "chaos: seed {}, {} events, {} messages, {} deliveries, {} of them again after a token, {} connections \
         ({} unsettled), {} nodes and {} buses killed, {} duplicates, {} gaps",
        plan.seed,
        truths.values().map(|truth| truth.events.len()).sum::<usize>(),
        truths.values().map(|truth| truth.messages.len()).sum::<usize>(),
        sum(|heard| heard.deliveries),
        sum(|heard| heard.again),
        sum(|heard| heard.connections),
        sum(|heard| heard.unsettled),
        kills.0,
        kills.1,
        complaints.iter().filter(|complaint| complaint.twice).count(),
        complaints.iter().filter(|complaint| !complaint.twice).count(),
    );
    let texts: Vec<&str> = complaints.iter().map(|complaint| complaint.text.as_str()).collect();
    assert!(texts.is_empty(), "seed {}: {}", plan.seed, texts.join("\n"));
}

/// Groups that overlap, each with some guests, and direct chats.
async fn make_chats(others: &[Person], guests: &[Person]) -> Vec<Chat> {
    let owner = &others[0];
    let mut chats = Vec::new();
    for n in 0..GROUPS {
        let half = others.iter().skip(1).enumerate();
        let mut members: Vec<&Person> = half
            .filter(|(place, _)| n == 0 || (place / n) % 2 == 0)
            .map(|(_, person)| person)
            .collect();
        members.extend(guests.iter().skip(n).step_by(2));
        let id = owner.group(&format!("Group {n}"), &members).await;
        let ids = members.iter().chain([&owner]).map(|person| person.id.clone());
        chats.push(owner.chaos_chat(&id, true, ids.collect()).await);
    }
    for pair in others.windows(2).take(SENDERS) {
        let body = json!({"kind": "direct", "user_id": pair[1].id});
        let made = pair[0].post("/chats", body).await.is(201);
        let ids = pair.iter().map(|person| person.id.clone()).collect();
        chats.push(pair[0].chaos_chat(made["id"].as_str().unwrap(), false, ids).await);
    }
    chats
}

/// Kills nodes and the bus, and starts them again, all the time. How many of each.
async fn kill(cluster: &Cluster, lasting: Duration, random: &mut Random) -> (usize, usize) {
    let limit = Instant::now() + lasting;
    let (mut nodes, mut buses) = (0, 0);
    while Instant::now() < limit {
        sleep(random.millis(100, 600)).await;
        let away = random.millis(0, 300);
        match random.below(8) {
            0 | 1 => {
                cluster.kill_bus().await;
                sleep(away).await;
                cluster.start_bus().await;
                buses += 1;
            }
            2 => {
                let (one, other) = (random.below(3), random.below(3));
                cluster.kill(one).await;
                cluster.kill(other).await;
                sleep(away).await;
                cluster.start_node(one).await;
                nodes += 1;
                if other != one {
                    cluster.start_node(other).await;
                    nodes += 1;
                }
            }
            3 => {
                cluster.kill_all().await;
                sleep(away).await;
                cluster.start_all().await;
                nodes += cluster::NODES;
                buses += 1;
            }
            _ => {
                let node = random.below(cluster::NODES);
                cluster.kill(node).await;
                sleep(away).await;
                cluster.start_node(node).await;
                nodes += 1;
            }
        }
    }
    (nodes, buses)
}

impl Person {
    async fn chaos_chat(&self, id: &str, group: bool, members: Vec<String>) -> Chat {
        let chat = self.chat(id).await;
        Chat {
            id: id.to_owned(),
            number: chat["number"].as_i64().unwrap(),
            group,
            witness: self.id.clone(),
            members,
        }
    }
}
