//! The list of a chat's messages.

use crate::Backend;
use crate::fixture::*;
use MessageRange::{After, Before, Newest};
use tertulia_domain::repository::{ListMessages, ListMessagesError, UserChanges};
use tertulia_domain::{ChatId, ClaimedSession, Message, MessageContent, MessageRange, Page, Role};

/// The numbers of a page's messages, and where it goes on.
async fn numbers(
    b: &Backend,
    chat: ChatId,
    reader: Person,
    range: MessageRange,
    items: u16,
) -> (Vec<i64>, Option<MessageRange>) {
    let Page { items, next } = b.history(chat, reader, range, items).await;
    (items.iter().map(|message| message.seq.get()).collect(), next)
}

/// Somebody with a chat of so many messages.
async fn talker(b: &Backend, messages: i64) -> (ChatId, Person, Vec<Message>) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    // Another chat's messages are there to be mixed in by mistake.
    let other = b.group(ana, &[]).await;
    b.send_many(other, ana, 3).await;
    let chat = b.direct(luis, ana).await;
    let sent = b.send_many(chat, ana, messages).await;
    (chat, ana, sent)
}

async fn list(b: &Backend, chat_id: ChatId, session: ClaimedSession, now: i64) -> Result<usize, ListMessagesError> {
    let list = ListMessages { chat_id, session, range: Newest, limit: limit(10), at: at(now) };
    Ok(b.messages.list(list).await?.items.len())
}

pub async fn pages_have_exact_edges(b: Backend) {
    let (chat, ana, _) = talker(&b, 5).await;
    let cases = [
        (Newest, 2, vec![5, 4], Some(Before(seq(4)))),
        (Newest, 4, vec![5, 4, 3, 2], Some(Before(seq(2)))),
        (Newest, 5, vec![5, 4, 3, 2, 1], None),
        (Newest, 6, vec![5, 4, 3, 2, 1], None),
        (Before(seq(4)), 2, vec![3, 2], Some(Before(seq(2)))),
        (Before(seq(4)), 3, vec![3, 2, 1], None),
        (Before(seq(4)), 9, vec![3, 2, 1], None),
        (Before(seq(2)), 1, vec![1], None),
        (Before(seq(1)), 1, vec![], None),
        (Before(seq(0)), 1, vec![], None),
        (Before(seq(5)), 1, vec![4], Some(Before(seq(4)))),
        (Before(seq(6)), 1, vec![5], Some(Before(seq(5)))),
        (Before(seq(i64::MAX)), 5, vec![5, 4, 3, 2, 1], None),
        (After(seq(0)), 2, vec![1, 2], Some(After(seq(2)))),
        (After(seq(0)), 4, vec![1, 2, 3, 4], Some(After(seq(4)))),
        (After(seq(0)), 5, vec![1, 2, 3, 4, 5], None),
        (After(seq(2)), 2, vec![3, 4], Some(After(seq(4)))),
        (After(seq(2)), 3, vec![3, 4, 5], None),
        (After(seq(4)), 1, vec![5], None),
        (After(seq(5)), 1, vec![], None),
        (After(seq(i64::MAX)), 1, vec![], None),
    ];
    for (range, size, expected, next) in cases {
        assert_eq!(numbers(&b, chat, ana, range, size).await, (expected, next), "{size} of {range:?}");
    }
}

pub async fn an_empty_chat_has_an_empty_page(b: Backend) {
    let ana = b.person("ana").await;
    let full = b.group(ana, &[]).await;
    b.send_many(full, ana, 2).await;
    let chat = b.group(ana, &[]).await;
    for range in [Newest, Before(seq(5)), After(seq(0))] {
        assert_eq!(numbers(&b, chat, ana, range, 10).await, (vec![], None));
    }
}

pub async fn a_long_history_is_walked_both_ways(b: Backend) {
    let (chat, ana, mut sent) = talker(&b, 250).await;
    for (start, forwards) in [(Newest, false), (After(seq(0)), true)] {
        for size in [7, 125] {
            let pages =
                walk(async |next: Option<MessageRange>| b.history(chat, ana, next.unwrap_or(start), size).await).await;
            assert_eq!(pages.len(), 250_usize.div_ceil(usize::from(size)));
            let mut walked = pages.concat();
            if !forwards {
                walked.reverse();
            }
            assert_eq!(walked, sent);
        }
    }
    // From the middle, to either end.
    let backwards = walk(async |next: Option<_>| b.history(chat, ana, next.unwrap_or(Before(seq(101))), 9).await).await;
    let forwards = walk(async |next: Option<_>| b.history(chat, ana, next.unwrap_or(After(seq(100))), 9).await).await;
    let late = sent.split_off(100);
    sent.reverse();
    assert_eq!(backwards.concat(), sent);
    assert_eq!(forwards.concat(), late);
}

pub async fn a_walk_backwards_meets_nothing_new(b: Backend) {
    let (chat, ana, sent) = talker(&b, 20).await;
    let mut late = 0;
    let pages = walk(async |next: Option<MessageRange>| {
        let page = b.history(chat, ana, next.unwrap_or(Newest), 3).await;
        late += 1;
        b.send(chat, ana, "meanwhile", at(100 + late)).await;
        page
    })
    .await;
    let mut walked = pages.concat();
    walked.reverse();
    assert_eq!(walked, sent);
}

pub async fn a_walk_forwards_meets_what_came_meanwhile(b: Backend) {
    let (chat, ana, _) = talker(&b, 20).await;
    let mut left = 5;
    let pages = walk(async |next: Option<MessageRange>| {
        let page = b.history(chat, ana, next.unwrap_or(After(seq(0))), 3).await;
        if left > 0 {
            left -= 1;
            b.send(chat, ana, "meanwhile", at(100 - left)).await;
        }
        page
    })
    .await;
    let walked: Vec<i64> = pages.concat().iter().map(|message| message.seq.get()).collect();
    assert_eq!(walked, (1..=25).collect::<Vec<_>>());
}

pub async fn deleted_messages_keep_their_place(b: Backend) {
    let (chat, ana, sent) = talker(&b, 9).await;
    for n in [0, 4, 5, 8] {
        b.messages.delete(chat, sent[n].id, at(50)).await.unwrap();
    }
    b.messages.edit(chat, sent[2].id, &body("edited"), at(51)).await.unwrap();
    let pages = walk(async |next: Option<_>| b.history(chat, ana, next.unwrap_or(Newest), 2).await).await;
    assert!(pages[..4].iter().all(|page| page.len() == 2));
    let mut walked = pages.concat();
    walked.reverse();
    for (n, (message, before)) in walked.iter().zip(&sent).enumerate() {
        let deleted = [0, 4, 5, 8].contains(&n);
        assert_eq!((message.id, message.seq), (before.id, before.seq));
        assert_eq!(message.content == MessageContent::Deleted { at: at(50) }, deleted);
    }
    assert_eq!((walked[2].body(), walked[2].edited_at), (Some(&body("edited")), Some(at(51))));
    assert_eq!(walked.len(), 9);
}

pub async fn a_list_shows_what_a_single_message_shows(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    for n in 0..6 {
        let mut new = if n % 2 == 0 { ana } else { luis }.message(chat, &format!("message {n}"), at(n));
        new.reply_to = match b.whole_history(chat, ana).await.as_slice() {
            [first, .., last] => Some(if n % 2 == 0 { first.id } else { last.id }),
            _ => None,
        };
        b.messages.append(new).await.unwrap();
    }
    let renamed = UserChanges {
        username: Some(Some(username("lucho"))),
        display_name: Some(Some(display_name("Lucho"))),
        ..UserChanges::default()
    };
    b.users.update(luis.id, renamed, at(10)).await.unwrap();
    let history = b.whole_history(chat, luis).await;
    assert_eq!(history.iter().filter(|message| message.reply_to.is_some()).count(), 4);
    for message in history {
        assert_eq!(b.messages.find(chat, message.id, luis.id).await.unwrap().unwrap().message, message);
        let sender = if message.sender.id == luis.id { "lucho" } else { "ana" };
        assert_eq!(message.sender.username, Some(username(sender)));
        assert_eq!(message.sender.display_name.is_some(), message.sender.id == luis.id);
    }
}

pub async fn a_list_takes_a_living_session(b: Backend) {
    let (chat, ana, _) = talker(&b, 1).await;
    let luis = b.person("outsider").await;
    let new = new_session(ana.id, at(0), at(100));
    let short = ClaimedSession { session_id: new.session.id, user_id: ana.id };
    b.sessions.insert(new, 10).await.unwrap();
    assert_eq!(list(&b, chat, short, 99).await.unwrap(), 1);
    for now in [100, 101] {
        assert_matches!(list(&b, chat, short, now).await, Err(ListMessagesError::SessionEnded));
    }
    let others = ClaimedSession { user_id: ana.id, ..luis.session };
    assert_matches!(list(&b, chat, others, 1).await, Err(ListMessagesError::SessionEnded));
    b.sessions.end_all(luis.id).await.unwrap();
    b.sessions.end_all(ana.id).await.unwrap();
    for session in [luis.session, ana.session] {
        for chat in [chat, chat_id()] {
            assert_matches!(list(&b, chat, session, 1).await, Err(ListMessagesError::SessionEnded));
        }
    }
}

pub async fn only_members_and_service_admins_read(b: Backend) {
    let (chat, ana, _) = talker(&b, 2).await;
    let outsider = b.person("outsider").await;
    let root = b.service_admin("root").await;
    let group = b.group(ana, &[outsider]).await;
    assert_matches!(list(&b, chat, outsider.session, 1).await, Err(ListMessagesError::ChatNotFound));
    for person in [ana, root] {
        assert_matches!(list(&b, chat_id(), person.session, 1).await, Err(ListMessagesError::ChatNotFound));
        assert_eq!(list(&b, chat, person.session, 1).await.unwrap(), 2);
    }
    assert_eq!(list(&b, group, root.session, 1).await.unwrap(), 0);
    // Who has left reads no more, and who comes in reads everything.
    assert_eq!(list(&b, group, outsider.session, 1).await.unwrap(), 0);
    b.send(group, ana, "hello", at(1)).await;
    b.chats.remove_member(group, outsider.id, false, at(2)).await.unwrap();
    assert_matches!(list(&b, group, outsider.session, 3).await, Err(ListMessagesError::ChatNotFound));
    b.join(group, outsider, at(4)).await;
    assert_eq!(list(&b, group, outsider.session, 5).await.unwrap(), 1);
    let demoted = UserChanges { role: Some(Role::User), ..UserChanges::default() };
    b.users.update(root.id, demoted, at(6)).await.unwrap();
    assert_matches!(list(&b, chat, root.session, 7).await, Err(ListMessagesError::ChatNotFound));
}

pub async fn to_look_changes_nothing(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    b.send_many(chat, ana, 3).await;
    let before = b.view(chat, luis).await;
    b.history(chat, luis, Newest, 10).await;
    b.chat_page(luis, None, 10).await;
    assert_eq!(b.view(chat, luis).await, before);
    assert_eq!(before.unread_count(), 3);
}
