//! Messages that address one of a group.

use crate::Backend;
use crate::fixture::*;
use tertulia_domain::repository::{AppendMessage, VisibleMessages};
use tertulia_domain::{MessageDraft, MessageRange, Window};

pub async fn a_message_addresses_somebody_of_a_group(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    assert_eq!(b.send(chat, ana, "all of you", at(1)).await.addressee, None);
    let new = AppendMessage { addressee: Some(luis.id), ..ana.message(chat, "you", at(2)) };
    let sent = b.messages.append(new).await.unwrap().message;
    assert_eq!(sent.addressee, Some(luis.id));
    assert_eq!(b.messages.find(chat, sent.id, luis.id).await.unwrap().unwrap().message, sent);
    let history = b.history(chat, luis, MessageRange::Newest, 10).await.items;
    assert_eq!((&history[0], history[1].addressee), (&sent, None));
    assert_eq!(b.view(chat, luis).await.last_message.as_ref(), Some(&sent));
    assert_eq!(b.chat_page(luis, None, 1).await.items[0].last_message.as_ref(), Some(&sent));
    let overview = b.overviews.find(chat, luis.id).await.unwrap().unwrap();
    assert_eq!(overview.last_message.as_ref(), Some(&sent));
    let newest = VisibleMessages::Newest(Window::page(1, 1));
    assert_eq!(b.overviews.list_messages(chat, newest).await.unwrap().unwrap().items, [sent.clone()]);
    let edited = b.messages.edit(chat, sent.id, &body("edited"), at(3)).await.unwrap().unwrap();
    assert_eq!(edited.addressee, Some(luis.id));
    // Who is addressed may go.
    b.chats.remove_member(chat, luis.id, false, at(4)).await.unwrap();
    assert_eq!(b.whole_history(chat, ana).await[1].addressee, Some(luis.id));
}

pub async fn an_answer_with_files_addresses_somebody(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let first = b.send(chat, luis, "first", at(1)).await;
    let file = b.file(ana, 1).await;
    let draft = MessageDraft::new(Some(body("look")), vec![file]).unwrap();
    let answer = AppendMessage {
        draft,
        reply_to: Some(first.id),
        addressee: Some(luis.id),
        ..ana.message(chat, "unused", at(2))
    };
    let sent = b.messages.append(answer).await.unwrap().message;
    assert_eq!((sent.addressee, sent.attachments().len()), (Some(luis.id), 1));
    assert_eq!(sent.reply_to.as_ref().unwrap().id, first.id);
    assert_eq!(b.whole_history(chat, luis).await[1], sent);
}

pub async fn direct_chats_know_no_addressee(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.direct(ana, luis).await;
    let claim = claim(ana, "key", 1, at(1));
    let new = || AppendMessage {
        addressee: Some(luis.id),
        claim: Some(claim.clone()),
        ..ana.message(chat, "you", at(1))
    };
    let sent = b.messages.append(new()).await.unwrap().message;
    assert_eq!(sent.addressee, None);
    assert_eq!(b.whole_history(chat, luis).await, [sent.clone()]);
    let retried = b.messages.append(new()).await.unwrap();
    assert!(retried.replayed);
    assert_eq!(retried.message, sent);
}

pub async fn a_retry_shows_the_addressee(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let claim = claim(ana, "key", 1, at(1));
    let new = || AppendMessage {
        addressee: Some(luis.id),
        claim: Some(claim.clone()),
        ..ana.message(chat, "you", at(1))
    };
    let sent = b.messages.append(new()).await.unwrap();
    assert!(!sent.replayed);
    assert_eq!(sent.message.addressee, Some(luis.id));
    b.messages.delete(chat, sent.message.id, at(2)).await.unwrap();
    b.chats.remove_member(chat, luis.id, false, at(3)).await.unwrap();
    let retried = b.messages.append(new()).await.unwrap();
    assert!(retried.replayed);
    assert_eq!(retried.message, sent.message);
}
