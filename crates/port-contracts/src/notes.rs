//! Notes in the place of a chat's last message.

use crate::Backend;
use crate::fixture::*;
use tertulia_domain::{ChatId, MessageBody, Note, NoteText, Timestamp};

fn note(sender: Person, text: &str, said: Timestamp) -> Note {
    Note { text: NoteText::new(text).unwrap(), sender: sender.id, at: said }
}

async fn set(b: &Backend, chat: ChatId, note: &Note, now: i64) {
    assert!(b.chats.set_note(chat, note, at(now)).await.unwrap());
}

/// The chat's note, by itself and in the list alike.
async fn shown(b: &Backend, chat: ChatId, viewer: Person) -> Option<Note> {
    let single = b.overviews.find(chat, viewer.id).await.unwrap().expect("the chat is there");
    let listed = b.own_overviews(viewer).await;
    let listed = listed.into_iter().find(|overview| overview.chat.id == chat).expect("the chat is listed");
    assert_eq!(listed.note, single.note);
    single.note
}

pub async fn a_note_stands_until_a_message_is_sent(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    for chat in [b.group(ana, &[luis]).await, b.direct(ana, luis).await] {
        assert_eq!(shown(&b, chat, ana).await, None);
        let first = note(luis, "first", at(-7));
        set(&b, chat, &first, 1).await;
        assert_eq!(shown(&b, chat, ana).await, Some(first.clone()));
        assert_eq!(shown(&b, chat, luis).await, Some(first));
        b.send(chat, ana, "hello", at(2)).await;
        assert_eq!(shown(&b, chat, ana).await, None);
        let second = note(ana, "second", at(3));
        set(&b, chat, &second, 3).await;
        assert_eq!(shown(&b, chat, luis).await, Some(second));
        let third = note(luis, "third", at(2));
        set(&b, chat, &third, 4).await;
        assert_eq!(shown(&b, chat, luis).await, Some(third), "the latest that was set");
        b.send(chat, luis, "hello", at(5)).await;
        assert_eq!(shown(&b, chat, luis).await, None);
    }
}

pub async fn a_note_is_no_message(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let sent = b.send(chat, ana, "hello", at(5)).await;
    let before = b.overviews.find(chat, luis.id).await.unwrap().unwrap();
    let new = note(ana, "noted", at(10));
    set(&b, chat, &new, 9).await;
    let after = b.overviews.find(chat, luis.id).await.unwrap().unwrap();
    assert_eq!((after.last_message.as_ref(), after.unread(luis.id)), (Some(&sent), 1));
    // It is a change, and no activity.
    assert_eq!((after.chat.updated_at, after.chat.active_at), (at(9), at(5)));
    let mut expected = before;
    expected.chat.updated_at = at(9);
    expected.note = Some(new);
    assert_eq!(after, expected);
    assert_eq!(b.whole_history(chat, luis).await, [sent]);
    // The clock may go back, the chat's time does not.
    set(&b, chat, &note(ana, "again", at(1)), 7).await;
    assert_eq!(b.view(chat, ana).await.chat.updated_at, at(9));
}

pub async fn a_note_outlasts_deletions_and_does_not_come_back(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let sent = b.send_many(chat, ana, 2).await;
    let new = note(ana, "noted", at(3));
    set(&b, chat, &new, 3).await;
    for message in sent.iter().rev() {
        b.messages.delete(chat, message.id, at(4)).await.unwrap();
        assert_eq!(shown(&b, chat, luis).await, Some(new.clone()));
    }
    let later = b.send(chat, luis, "later", at(5)).await;
    assert_eq!(shown(&b, chat, luis).await, None);
    b.messages.delete(chat, later.id, at(6)).await.unwrap();
    assert_eq!(shown(&b, chat, luis).await, None, "a message was sent, whatever became of it");
    // Who is said to have said it may go.
    let new = note(luis, "bye", at(7));
    set(&b, chat, &new, 7).await;
    b.chats.remove_member(chat, luis.id, false, at(8)).await.unwrap();
    assert_eq!(shown(&b, chat, ana).await, Some(new.clone()));
    b.users.delete(luis.id, true, at(9)).await.unwrap();
    assert_eq!(shown(&b, chat, ana).await, Some(new));
}

pub async fn notes_come_back_as_they_went(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let long = "😀".repeat(MessageBody::MAX_CHARS);
    for text in ["", " ", " a \r\n\tb ", "'\"\\%_", "¿qué tal?", &long] {
        for millis in [0, 1, 999] {
            let new = note(ana, text, at(millis));
            set(&b, chat, &new, 1).await;
            assert_eq!(shown(&b, chat, ana).await, Some(new));
        }
    }
}

pub async fn a_note_needs_a_chat_and_goes_with_it(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let new = note(ana, "noted", at(1));
    assert!(!b.chats.set_note(chat_id(), &new, at(1)).await.unwrap());
    let chat = b.direct(ana, luis).await;
    set(&b, chat, &new, 1).await;
    assert!(b.chats.delete(chat).await.unwrap());
    assert!(!b.chats.set_note(chat, &new, at(2)).await.unwrap());
    let chat = b.direct(ana, luis).await;
    assert_eq!(shown(&b, chat, ana).await, None);
}

pub async fn each_chat_has_its_own_note(b: Backend) {
    let ana = b.person("ana").await;
    let [one, other, third] = [b.group(ana, &[]).await, b.group(ana, &[]).await, b.group(ana, &[]).await];
    set(&b, one, &note(ana, "one", at(1)), 1).await;
    set(&b, other, &note(ana, "other", at(2)), 2).await;
    b.send(one, ana, "hello", at(3)).await;
    assert_eq!(shown(&b, one, ana).await, None);
    assert_eq!(shown(&b, other, ana).await, Some(note(ana, "other", at(2))));
    assert_eq!(shown(&b, third, ana).await, None);
}
