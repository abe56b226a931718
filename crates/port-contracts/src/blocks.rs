use crate::Backend;
use crate::fixture::*;
use futures_util::future::{join, join_all};
use std::collections::BTreeSet;
use tertulia_domain::repository::{AppendError, AppendMessage, BlockError, InsertChatError, NewDirectChat};
use tertulia_domain::{AuditAction, AuditEntry, ChatId, UserId};

async fn block(b: &Backend, who: Person, whom: Person, now: i64) {
    b.moderation.block(who.id, whom.id, 100, at(now)).await.unwrap();
}

async fn blocked(b: &Backend, who: Person) -> Vec<UserId> {
    b.moderation.list_blocked(who.id).await.unwrap().into_iter().map(|user| user.id).collect()
}

async fn either_way(b: &Backend, who: Person) -> Vec<UserId> {
    let mut users = b.moderation.blocked_either_way(who.id).await.unwrap();
    users.sort_unstable();
    users
}

fn sorted<const N: usize>(people: [Person; N]) -> Vec<UserId> {
    people.into_iter().map(|person| person.id).collect::<BTreeSet<_>>().into_iter().collect()
}

async fn blocks(b: &Backend, who: Person) -> bool {
    b.sessions.find_caller(who.session, at(1)).await.unwrap().unwrap().blocks
}

fn direct(creator: Person, other: Person) -> NewDirectChat {
    NewDirectChat { id: chat_id(), creator: creator.id, other: other.id, at: at(5) }
}

/// Whether that chat is shown as blocked, by itself and in the list alike.
async fn shown_blocked(b: &Backend, chat: ChatId, viewer: Person) -> bool {
    let listed = b.chat_page(viewer, None, 50).await.items;
    let listed = listed.iter().find(|view| view.chat.id == chat).unwrap().blocked;
    assert_eq!(b.view(chat, viewer).await.blocked, listed);
    listed
}

pub async fn a_block_is_listed_until_it_is_lifted(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    assert_eq!(b.moderation.list_blocked(ana.id).await.unwrap(), []);
    block(&b, ana, luis, 1).await;
    block(&b, ana, leo, 3).await;
    block(&b, ana, eva, 2).await;
    assert_eq!(blocked(&b, ana).await, [leo.id, eva.id, luis.id], "latest first");
    assert_eq!(b.moderation.list_blocked(ana.id).await.unwrap()[0], b.find_user(leo.id).await);
    assert_eq!(blocked(&b, luis).await, []);
    assert!(b.moderation.unblock(ana.id, leo.id, at(4)).await.unwrap());
    assert_eq!(blocked(&b, ana).await, [eva.id, luis.id]);
    assert!(!b.moderation.unblock(luis.id, ana.id, at(4)).await.unwrap(), "only whoever blocks can unblock");
    assert_eq!(blocked(&b, ana).await, [eva.id, luis.id]);
}

pub async fn what_changes_nothing_is_not_logged(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    assert!(!b.moderation.unblock(ana.id, luis.id, at(1)).await.unwrap());
    assert_eq!(b.audit().await, []);
    block(&b, ana, luis, 2).await;
    block(&b, ana, luis, 3).await;
    assert!(b.moderation.unblock(ana.id, luis.id, at(4)).await.unwrap());
    assert!(!b.moderation.unblock(ana.id, luis.id, at(5)).await.unwrap());
    let log = b.audit().await;
    let entry = |index: usize, millis, action| AuditEntry {
        number: log[index].number,
        at: at(millis),
        actor_id: ana.id,
        action,
        user_id: luis.id,
        message_id: None,
        reason: None,
    };
    assert_eq!(log, [entry(0, 4, AuditAction::Unblock), entry(1, 2, AuditAction::Block)]);
    assert!(log[0].number > log[1].number);
}

pub async fn one_blocks_so_many_at_the_most(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    let most = async |whom: Person| b.moderation.block(ana.id, whom.id, 2, at(1)).await;
    assert_matches!(most(luis).await, Ok(()));
    assert_matches!(most(eva).await, Ok(()));
    assert_matches!(most(leo).await, Err(BlockError::TooMany));
    assert_matches!(most(luis).await, Ok(()));
    assert_eq!(blocked(&b, ana).await.len(), 2);
    assert_eq!(b.audit().await.len(), 2);
    // Being blocked does not count.
    block(&b, eva, leo, 2).await;
    assert_matches!(b.moderation.block(leo.id, ana.id, 1, at(2)).await, Ok(()));
    b.moderation.unblock(ana.id, luis.id, at(3)).await.unwrap();
    assert_matches!(most(leo).await, Ok(()));
}

pub async fn nobody_is_blocked_in_vain(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    b.users.delete(luis.id, false, at(1)).await.unwrap();
    for nobody in [luis.id, user_id()] {
        assert_matches!(b.moderation.block(ana.id, nobody, 10, at(2)).await, Err(BlockError::UserNotFound));
    }
    assert_eq!((blocked(&b, ana).await, b.audit().await), (vec![], vec![]));
}

pub async fn a_block_stands_between_the_two(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    for person in [ana, luis, eva, leo] {
        assert!(!blocks(&b, person).await);
    }
    block(&b, ana, luis, 1).await;
    block(&b, eva, ana, 2).await;
    block(&b, luis, ana, 3).await;
    assert_eq!(either_way(&b, ana).await, sorted([luis, eva]), "each once");
    assert_eq!(either_way(&b, luis).await, [ana.id]);
    assert_eq!(either_way(&b, eva).await, [ana.id]);
    assert_eq!(either_way(&b, leo).await, []);
    for (person, expected) in [(ana, true), (luis, true), (eva, true), (leo, false)] {
        assert_eq!(blocks(&b, person).await, expected);
    }
    // One of the two blocks on.
    b.moderation.unblock(ana.id, luis.id, at(4)).await.unwrap();
    assert_eq!(either_way(&b, luis).await, [ana.id]);
    assert!(blocks(&b, ana).await && blocks(&b, luis).await);
    b.moderation.unblock(luis.id, ana.id, at(5)).await.unwrap();
    assert_eq!(either_way(&b, luis).await, []);
    assert!(blocks(&b, ana).await && !blocks(&b, luis).await && blocks(&b, eva).await);
}

pub async fn in_a_blocked_direct_chat_nobody_sends(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.direct(ana, luis).await;
    b.send(chat, ana, "hello", at(1)).await;
    let unread = b.send(chat, luis, "go away", at(2)).await;
    assert!(!shown_blocked(&b, chat, ana).await && !shown_blocked(&b, chat, luis).await);
    block(&b, luis, ana, 3).await;
    for sender in [ana, luis] {
        assert!(shown_blocked(&b, chat, sender).await);
        assert_matches!(b.messages.append(sender.message(chat, "psst", at(4))).await, Err(AppendError::Blocked));
    }
    // It can still be read, and what was said still be edited and deleted.
    assert_eq!(b.whole_history(chat, ana).await.len(), 2);
    assert!(b.messages.edit(chat, unread.id, &body("please go away"), at(5)).await.unwrap().is_some());
    assert!(b.messages.delete(chat, unread.id, at(6)).await.unwrap());
    b.moderation.unblock(luis.id, ana.id, at(7)).await.unwrap();
    assert!(!shown_blocked(&b, chat, ana).await && !shown_blocked(&b, chat, luis).await);
    assert_eq!(b.send(chat, ana, "sorry", at(8)).await.seq, seq(3), "what was refused took no number");
}

pub async fn a_retry_is_answered_in_a_blocked_chat(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.direct(ana, luis).await;
    let attempt = |key| AppendMessage { claim: Some(claim(ana, key, 1, at(1))), ..ana.message(chat, "hello", at(1)) };
    let first = b.messages.append(attempt("before")).await.unwrap();
    block(&b, luis, ana, 2).await;
    let retry = b.messages.append(attempt("before")).await.unwrap();
    assert_eq!((retry.replayed, retry.message), (true, first.message));
    // What is refused is not remembered.
    assert_matches!(b.messages.append(attempt("meanwhile")).await, Err(AppendError::Blocked));
    b.moderation.unblock(luis.id, ana.id, at(3)).await.unwrap();
    assert!(!b.messages.append(attempt("meanwhile")).await.unwrap().replayed);
}

pub async fn no_direct_chat_begins_across_a_block(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let existing = b.direct(ana, eva).await;
    block(&b, ana, luis, 1).await;
    block(&b, ana, eva, 2).await;
    for (creator, other) in [(ana, luis), (luis, ana)] {
        assert_matches!(b.chats.insert_direct(direct(creator, other), None).await, Err(InsertChatError::Blocked));
        assert!(b.chat_page(luis, None, 5).await.items.is_empty());
    }
    // One that is there already is found.
    for (creator, other) in [(ana, eva), (eva, ana)] {
        let found = fresh_of(b.chats.insert_direct(direct(creator, other), None).await.unwrap());
        assert_eq!((found.created, found.view.chat.id, found.view.blocked), (false, existing, true));
    }
    // Others are as free as before.
    assert!(!fresh_of(b.chats.insert_direct(direct(luis, eva), None).await.unwrap()).view.blocked);
    b.moderation.unblock(ana.id, luis.id, at(3)).await.unwrap();
    let made = fresh_of(b.chats.insert_direct(direct(luis, ana), None).await.unwrap());
    assert_eq!((made.created, made.view.blocked), (true, false));
}

pub async fn groups_know_no_blocks(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(ana, &[luis]).await;
    let other = b.direct(ana, eva).await;
    block(&b, ana, luis, 1).await;
    for sender in [ana, luis] {
        b.send(chat, sender, "hello", at(2)).await;
        assert!(!shown_blocked(&b, chat, sender).await);
    }
    let made = b.group(luis, &[ana]).await;
    assert!(!shown_blocked(&b, made, ana).await);
    // Nor does a block between two stand in anybody else's way.
    b.send(other, ana, "hello", at(3)).await;
    assert!(!shown_blocked(&b, other, ana).await && !shown_blocked(&b, other, eva).await);
}

pub async fn a_deleted_users_blocks_are_gone(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    block(&b, ana, luis, 1).await;
    assert!(blocks(&b, luis).await);
    b.users.delete(ana.id, false, at(2)).await.unwrap();
    assert_eq!(either_way(&b, luis).await, []);
    assert!(!blocks(&b, luis).await);
    assert_eq!(blocked(&b, ana).await, []);
}

pub async fn blocks_made_many_times_at_once_are_made_once(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    for round in 1..4 {
        let there = join_all((0..8).map(|_| b.moderation.block(ana.id, luis.id, 10, at(round))));
        let back = join_all((0..8).map(|_| b.moderation.block(luis.id, ana.id, 10, at(round))));
        let (there, back) = join(there, back).await;
        for outcome in there.into_iter().chain(back) {
            assert_matches!(outcome, Ok(()));
        }
        assert_eq!((blocked(&b, ana).await, blocked(&b, luis).await), (vec![luis.id], vec![ana.id]));
        let lifted = join_all((0..8).map(|_| b.moderation.unblock(ana.id, luis.id, at(round)))).await;
        assert_eq!(lifted.into_iter().filter(|lifted| *lifted.as_ref().unwrap()).count(), 1);
        assert!(b.moderation.unblock(luis.id, ana.id, at(round)).await.unwrap());
        let log = b.audit().await;
        assert_eq!(i64::try_from(log.len()).unwrap(), 4 * round);
        assert_eq!(log.iter().filter(|entry| entry.action == AuditAction::Block).count(), log.len() / 2);
    }
}
