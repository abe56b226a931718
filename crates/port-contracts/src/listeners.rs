//! What somebody listens to, and who is told of whom.

use crate::Backend;
use crate::fixture::*;
use std::collections::{BTreeMap, BTreeSet};
use tertulia_domain::repository::NewMember;
use tertulia_domain::{ChatId, MemberRole, Subscription, UserId};

async fn subscriptions(b: &Backend, user: Person) -> BTreeMap<ChatId, Subscription> {
    let found = b.events.subscriptions(user.id).await.unwrap();
    let count = found.len();
    let found: BTreeMap<_, _> = found.into_iter().map(|own| (own.chat_id, own)).collect();
    assert_eq!(found.len(), count);
    found
}

async fn acquaintances(b: &Backend, user: Person, others: &[Person], members: i64) -> BTreeSet<UserId> {
    let others = others.iter().map(|other| other.id).collect();
    let found = b.events.acquaintances(user.id, others, members).await.unwrap();
    let count = found.len();
    let found: BTreeSet<_> = found.into_iter().collect();
    assert_eq!(found.len(), count);
    found
}

fn ids<const N: usize>(people: [Person; N]) -> BTreeSet<UserId> {
    people.into_iter().map(|person| person.id).collect()
}

pub async fn one_subscribes_to_ones_own_chats(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    assert_eq!(b.events.subscriptions(ana.id).await.unwrap(), []);
    assert_eq!(b.events.subscriptions(user_id()).await.unwrap(), []);
    let [group, direct, other] = [b.group(ana, &[luis]).await, b.direct(ana, luis).await, b.group(eva, &[]).await];
    b.send_many(group, luis, 3).await;
    b.chats.mark_read(group, ana.id, seq(3), at(9)).await.unwrap();
    let subscription = async |chat, first: i64| {
        let chat = b.view(chat, ana).await.chat;
        Subscription {
            chat_id: chat.id,
            number: chat.number,
            member_count: chat.member_count,
            active_at: chat.active_at,
            first_event: event_seq(first),
            last_event: chat.last_event,
        }
    };
    // Reading is no message, but something that happened.
    let in_group = Subscription { active_at: at(9), ..subscription(group, 1).await };
    let in_direct = subscription(direct, 1).await;
    assert_eq!((in_group.last_event.get(), in_group.member_count), (5, 2));
    let both: BTreeMap<_, _> = [(group, in_group), (direct, in_direct)].into();
    assert_eq!(subscriptions(&b, ana).await, both);
    assert_eq!(subscriptions(&b, luis).await, both);
    assert_eq!(subscriptions(&b, eva).await, [(other, subscription(other, 1).await)].into());
}

pub async fn nothing_before_one_came_in_is_for_one(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(ana, &[]).await;
    let first = async |user| subscriptions(&b, user).await.get(&chat).map(|own| own.first_event.get());
    b.send_many(chat, ana, 2).await;
    b.join(chat, luis, at(5)).await;
    b.join(chat, luis, at(6)).await;
    let admin = NewMember { role: MemberRole::Admin, ..new_member(chat, eva, at(6)) };
    fresh_of(b.chats.add_member(admin, None).await.unwrap());
    assert_eq!((first(ana).await, first(luis).await, first(eva).await), (Some(1), Some(4), Some(5)));
    let added = b.events_after(chat, 3).await;
    assert!(added[..2].iter().all(|event| event.change.name() == "member.added"));
    // Neither what happens later nor another role moves it.
    b.chats.set_role(chat, luis.id, MemberRole::Owner, at(7)).await.unwrap();
    b.chats.remove_member(chat, eva.id, false, at(8)).await.unwrap();
    b.send(chat, luis, "hello", at(9)).await;
    assert_eq!((first(ana).await, first(luis).await, first(eva).await), (Some(1), Some(4), None));
    b.join(chat, eva, at(10)).await;
    assert_eq!(first(eva).await, Some(10), "who comes back comes as new");
    assert_eq!(b.last_event(chat).await, 10);
}

pub async fn living_sessions_are_told_from_ended_ones(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let second = b.session(ana.id).await.session_id;
    let short = new_session(luis.id, at(0), at(100));
    let short_id = short.session.id;
    assert!(b.sessions.insert(short, 10).await.unwrap());
    let key = new_key(eva, at(0));
    let key_id = key.id;
    assert!(b.api_keys.insert(key, [7; 32], 10).await.unwrap());
    b.sessions.end(ana.id, ana.session.session_id).await.unwrap();
    let sessions = [ana, luis, eva].map(|person| person.session.session_id);
    let asked = [&sessions[..], &[second, short_id, key_id, session_id()]].concat();
    let living = async |now| {
        let found = b.events.live_sessions(asked.clone(), at(now)).await.unwrap();
        assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
        found.into_iter().collect::<BTreeSet<_>>()
    };
    let always = [sessions[1], sessions[2], second, key_id];
    assert_eq!(living(99).await, always.into_iter().chain([short_id]).collect());
    assert_eq!(living(100).await, always.into_iter().collect());
    assert_eq!(living(LIFE).await, [key_id].into());
    assert_eq!(b.events.live_sessions(vec![], at(0)).await.unwrap(), []);
    b.users.delete(eva.id, false, at(5)).await.unwrap();
    assert_eq!(living(100).await, [sessions[1], second].into());
}

pub async fn who_shares_a_small_chat_is_an_acquaintance(b: Backend) {
    let [ana, luis, eva, stranger, far] = b.people(["ana", "luis", "eva", "stranger", "far"]).await;
    let group = b.group(ana, &[luis, eva, far]).await;
    b.group(ana, &[luis]).await;
    b.direct(ana, eva).await;
    b.group(stranger, &[luis, eva]).await;
    let all = [luis, eva, stranger, far];
    assert_eq!(acquaintances(&b, ana, &all, 4).await, ids([luis, eva, far]));
    assert_eq!(acquaintances(&b, ana, &all, 3).await, ids([luis, eva]), "in a chat of few");
    assert_eq!(acquaintances(&b, ana, &all, 1).await, ids([]));
    assert_eq!(acquaintances(&b, ana, &[far, stranger], 100).await, ids([far]), "of those asked for");
    assert_eq!(acquaintances(&b, ana, &[], 100).await, ids([]));
    assert_eq!(b.events.acquaintances(ana.id, vec![user_id()], 100).await.unwrap(), []);
    b.chats.remove_member(group, far.id, false, at(5)).await.unwrap();
    assert_eq!(acquaintances(&b, ana, &all, 100).await, ids([luis, eva]));
    assert_eq!(acquaintances(&b, far, &[ana, luis], 100).await, ids([]));
}

pub async fn a_block_ends_an_acquaintance_both_ways(b: Backend) {
    let [ana, luis, eva, tom] = b.people(["ana", "luis", "eva", "tom"]).await;
    b.group(ana, &[luis, eva, tom]).await;
    b.direct(ana, luis).await;
    b.moderation.block(ana.id, luis.id, 10, at(1)).await.unwrap();
    b.moderation.block(eva.id, ana.id, 10, at(1)).await.unwrap();
    b.moderation.block(luis.id, tom.id, 10, at(1)).await.unwrap();
    assert_eq!(acquaintances(&b, ana, &[luis, eva, tom], 100).await, ids([tom]));
    assert_eq!(acquaintances(&b, luis, &[ana, eva, tom], 100).await, ids([eva]));
    assert_eq!(acquaintances(&b, eva, &[ana, luis, tom], 100).await, ids([luis, tom]));
    b.moderation.unblock(ana.id, luis.id, at(2)).await.unwrap();
    assert_eq!(acquaintances(&b, ana, &[luis, eva, tom], 100).await, ids([luis, tom]));
}
