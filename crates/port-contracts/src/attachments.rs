//! Files on messages.

use crate::Backend;
use crate::fixture::*;
use tertulia_domain::repository::{AppendError, AppendMessage};
use tertulia_domain::{File, FileId, Message, MessageContent, MessageDraft, MessageRange};

fn ids(message: &Message) -> Vec<FileId> {
    message.attachments().iter().map(|file| file.id).collect()
}

async fn files(b: &Backend, owner: Person, from: u8, count: u8) -> Vec<FileId> {
    let mut files = Vec::new();
    for bytes in from..from + count {
        files.push(if bytes % 2 == 0 { b.image(owner, bytes).await } else { b.file(owner, bytes).await });
    }
    files
}

pub async fn a_message_shows_its_files_in_order(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let mut wanted = files(&b, ana, 0, 10).await;
    wanted.reverse();
    wanted.swap(2, 7);
    let draft = MessageDraft::new(Some(body("look")), wanted.clone()).unwrap();
    let new = AppendMessage { draft, ..ana.message(chat, "unused", at(1)) };
    let message = b.messages.append(new).await.unwrap().message;
    assert_eq!(ids(&message), wanted);
    assert_eq!(message.body(), Some(&body("look")));
    let mut expected: Vec<File> = Vec::new();
    for file in &wanted {
        expected.push(b.standing(*file, luis).await.unwrap().0.file);
    }
    assert_eq!(message.attachments(), expected);
    let found = b.messages.find(chat, message.id, luis.id).await.unwrap().unwrap();
    assert_eq!(found.message, message);
    assert_eq!(b.whole_history(chat, luis).await, [message.clone()]);
    assert_eq!(b.history(chat, luis, MessageRange::Newest, 5).await.items, [message.clone()]);
    assert_eq!(b.view(chat, luis).await.last_message.as_ref(), Some(&message));
    assert_eq!(b.chat_page(luis, None, 5).await.items[0].last_message.as_ref(), Some(&message));
}

pub async fn a_message_may_be_files_alone(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let wanted = files(&b, ana, 1, 2).await;
    let message = b.attach(chat, ana, &wanted, at(1)).await.unwrap();
    assert_eq!((message.body(), ids(&message)), (None, wanted));
    let mut answer = ana.message(chat, "nice", at(2));
    answer.reply_to = Some(message.id);
    let answer = b.messages.append(answer).await.unwrap().message;
    assert_eq!(answer.reply_to.unwrap().body, None);
    assert_eq!(answer.content, MessageContent::Present { body: Some(body("nice")), attachments: Vec::new() });
    assert_eq!(b.whole_history(chat, ana).await[0], message);
}

pub async fn what_the_sender_may_not_read_is_not_attached(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(luis, &[ana]).await;
    let apart = b.group(luis, &[eva]).await;
    let [own, foreign, elsewhere] = [b.file(ana, 1).await, b.file(luis, 2).await, b.file(luis, 3).await];
    b.attach(apart, luis, &[elsewhere], at(1)).await.unwrap();
    let before = b.view(chat, ana).await;
    let missing = file_id();
    for bad in [foreign, elsewhere, missing] {
        for wanted in [vec![bad], vec![own, bad], vec![bad, own]] {
            match b.attach(chat, ana, &wanted, at(2)).await {
                Err(AppendError::AttachmentNotFound(named)) => assert_eq!(named, bad),
                other => panic!("{other:?}"),
            }
        }
    }
    // Nothing is stored, and no number taken.
    assert_eq!(b.view(chat, ana).await, before);
    assert_eq!(b.whole_history(chat, ana).await, []);
    let sent = b.attach(chat, ana, &[own], at(3)).await.unwrap();
    assert_eq!(sent.seq, seq(1));
    // Nor can anybody read a file by having named it.
    assert!(!b.standing(foreign, ana).await.unwrap().1.may_read());
    assert!(!b.standing(elsewhere, ana).await.unwrap().1.may_read());
}

pub async fn a_member_may_forward_a_file_of_a_chat(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(ana, &[luis]).await;
    let other = b.direct(luis, eva).await;
    let file = b.file(ana, 1).await;
    b.attach(chat, ana, &[file], at(1)).await.unwrap();
    let forwarded = b.attach(other, luis, &[file], at(2)).await.unwrap();
    assert_eq!(ids(&forwarded), [file]);
    assert!(b.standing(file, eva).await.unwrap().1.shared);
    // Who has left the chat may not, unless another one holds it.
    let second = b.file(ana, 2).await;
    b.attach(chat, ana, &[second], at(3)).await.unwrap();
    b.chats.remove_member(chat, luis.id, false, at(4)).await.unwrap();
    let refused = b.attach(other, luis, &[second], at(5)).await;
    assert_matches!(refused, Err(AppendError::AttachmentNotFound(_)));
    assert_eq!(ids(&b.attach(other, luis, &[file], at(6)).await.unwrap()), [file]);
}

pub async fn what_all_may_see_all_may_attach(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let admin = b.service_admin("admin").await;
    let chat = b.group(luis, &[admin]).await;
    let [avatar, private] = [b.image(ana, 2).await, b.file(ana, 3).await];
    b.users.set_avatar(ana.id, Some(avatar), at(1)).await.unwrap().unwrap();
    assert_eq!(ids(&b.attach(chat, luis, &[avatar], at(2)).await.unwrap()), [avatar]);
    let refused = b.attach(chat, luis, &[private], at(3)).await;
    assert_matches!(refused, Err(AppendError::AttachmentNotFound(_)));
    assert_eq!(ids(&b.attach(chat, admin, &[private], at(4)).await.unwrap()), [private]);
}

pub async fn a_deleted_message_takes_its_files_along(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let wanted = files(&b, ana, 1, 3).await;
    let mut objects = Vec::new();
    for file in &wanted {
        objects.push(b.object_of(*file).await);
    }
    let message = b.attach(chat, ana, &wanted, at(1)).await.unwrap();
    assert!(b.due(at(LIFE)).await.is_empty());
    assert!(b.messages.delete(chat, message.id, at(9)).await.unwrap());
    for file in &wanted {
        assert_eq!(b.standing(*file, ana).await, None);
    }
    assert_eq!(b.due(at(9)).await, objects.into_iter().collect());
    let left = b.whole_history(chat, luis).await.remove(0);
    assert_eq!((left.content.clone(), left.attachments()), (MessageContent::Deleted { at: at(9) }, &[][..]));
    let refused = b.attach(chat, ana, &wanted[..1], at(10)).await;
    assert_matches!(refused, Err(AppendError::AttachmentNotFound(_)));
}

pub async fn a_file_goes_with_the_last_that_uses_it(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let other = b.direct(ana, luis).await;
    let file = b.image(ana, 2).await;
    let object = b.object_of(file).await;
    let first = b.attach(chat, ana, &[file], at(1)).await.unwrap();
    let second = b.attach(chat, luis, &[file], at(2)).await.unwrap();
    let third = b.attach(other, ana, &[file], at(3)).await.unwrap();
    b.users.set_avatar(ana.id, Some(file), at(4)).await.unwrap().unwrap();
    assert!(b.chats.set_avatar(chat, file, ana.id, at(4)).await.unwrap());
    for (chat, message) in [(chat, &first), (other, &third), (chat, &second)] {
        assert!(b.messages.delete(chat, message.id, at(5)).await.unwrap());
        assert!(b.is_stored(file).await);
        assert_eq!(b.messages.find(chat, message.id, ana.id).await.unwrap().unwrap().message.attachments(), []);
    }
    b.users.set_avatar(ana.id, None, at(6)).await.unwrap().unwrap();
    assert!(b.is_stored(file).await && b.due(at(LIFE)).await.is_empty());
    let another = b.image(ana, 4).await;
    assert!(b.chats.set_avatar(chat, another, ana.id, at(7)).await.unwrap());
    assert!(!b.is_stored(file).await);
    assert!(b.due(at(7)).await.contains(&object));
}

pub async fn an_edit_leaves_the_files(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let wanted = files(&b, ana, 1, 2).await;
    let message = b.attach(chat, ana, &wanted, at(1)).await.unwrap();
    let edited = b.messages.edit(chat, message.id, &body("words"), at(2)).await.unwrap().unwrap();
    assert_eq!((edited.body(), edited.attachments()), (Some(&body("words")), message.attachments()));
    assert_eq!(b.whole_history(chat, ana).await, [edited]);
}

pub async fn a_retry_shows_the_files_whatever_became_of_them(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let wanted = files(&b, ana, 1, 3).await;
    let draft = MessageDraft::new(None, wanted).unwrap();
    let attempt = || AppendMessage {
        draft: draft.clone(),
        claim: Some(claim(ana, "key", 1, at(1))),
        ..ana.message(chat, "unused", at(1))
    };
    let first = b.messages.append(attempt()).await.unwrap();
    assert!(!first.replayed && first.message.attachments().len() == 3);
    let retry = b.messages.append(attempt()).await.unwrap();
    assert_eq!((retry.replayed, &retry.message), (true, &first.message));
    b.messages.delete(chat, first.message.id, at(2)).await.unwrap();
    let retry = b.messages.append(attempt()).await.unwrap();
    assert_eq!((retry.replayed, &retry.message), (true, &first.message));
    assert_eq!(b.whole_history(chat, ana).await.len(), 1);
}

pub async fn a_deleted_chat_takes_its_files_along(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let [doomed, other] = [b.group(ana, &[luis]).await, b.group(ana, &[luis]).await];
    let [only_here, here_and_there, avatar] = [b.file(ana, 1).await, b.file(ana, 3).await, b.image(ana, 2).await];
    let objects = [b.object_of(only_here).await, b.object_of(avatar).await];
    b.attach(doomed, ana, &[only_here, here_and_there], at(1)).await.unwrap();
    b.attach(doomed, luis, &[only_here], at(1)).await.unwrap();
    b.attach(other, luis, &[here_and_there], at(2)).await.unwrap();
    assert!(b.chats.set_avatar(doomed, avatar, ana.id, at(3)).await.unwrap());
    assert!(b.chats.delete(doomed, at(9)).await.unwrap());
    assert!(!b.is_stored(only_here).await && !b.is_stored(avatar).await);
    assert!(b.is_stored(here_and_there).await);
    assert_eq!(b.due(at(LIFE)).await, objects.into_iter().collect());
    assert_eq!(b.whole_history(other, ana).await[0].attachments()[0].id, here_and_there);
}

pub async fn the_last_one_out_takes_the_files_along(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let file = b.file(ana, 1).await;
    let object = b.object_of(file).await;
    b.attach(chat, ana, &[file], at(1)).await.unwrap();
    b.chats.remove_member(chat, ana.id, false, at(2)).await.unwrap();
    assert!(!b.is_stored(file).await);
    assert_eq!(b.due(at(2)).await, [object].into());
}

pub async fn a_deleted_users_files_stay_on_their_messages(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(luis, &[ana]).await;
    let [sent, avatar] = [b.file(ana, 1).await, b.image(ana, 2).await];
    let object = b.object_of(avatar).await;
    let message = b.attach(chat, ana, &[sent], at(1)).await.unwrap();
    b.users.set_avatar(ana.id, Some(avatar), at(1)).await.unwrap().unwrap();
    let erased = b.users.delete(ana.id, false, at(9)).await.unwrap().unwrap();
    assert_eq!((erased.files, erased.messages), (1, 0));
    assert!(!b.is_stored(avatar).await);
    assert_eq!(b.due(at(9)).await, [object].into());
    assert_eq!(b.whole_history(chat, luis).await[0].attachments(), message.attachments());
    assert!(b.standing(sent, luis).await.unwrap().1.shared);
    assert_eq!(b.find_user(ana.id).await.avatar, None);
    // The file goes with its message.
    b.messages.delete(chat, message.id, at(10)).await.unwrap();
    assert!(!b.is_stored(sent).await);
}

pub async fn to_erase_an_account_takes_its_files_along(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(luis, &[ana]).await;
    let direct = b.direct(ana, luis).await;
    let [first, second, shared, avatar] =
        [b.file(ana, 1).await, b.file(ana, 3).await, b.file(ana, 5).await, b.image(ana, 2).await];
    b.attach(chat, ana, &[first, shared], at(1)).await.unwrap();
    b.attach(direct, ana, &[first, second], at(2)).await.unwrap();
    b.attach(chat, luis, &[shared], at(3)).await.unwrap();
    b.users.set_avatar(ana.id, Some(avatar), at(4)).await.unwrap().unwrap();
    let mut objects = Vec::new();
    for file in [first, second, avatar] {
        objects.push(b.object_of(file).await);
    }
    let erased = b.users.delete(ana.id, true, at(9)).await.unwrap().unwrap();
    assert_eq!((erased.messages, erased.files), (2, 3));
    for file in [first, second, avatar] {
        assert!(!b.is_stored(file).await);
    }
    assert_eq!(b.due(at(9)).await, objects.into_iter().collect());
    assert!(b.standing(shared, luis).await.unwrap().1.shared, "somebody else's message has it too");
}

pub async fn groups_that_go_with_an_account_take_their_files_along(b: Backend) {
    let ana = b.person("ana").await;
    let alone = b.group(ana, &[]).await;
    let [sent, avatar] = [b.file(ana, 1).await, b.image(ana, 2).await];
    b.attach(alone, ana, &[sent], at(1)).await.unwrap();
    assert!(b.chats.set_avatar(alone, avatar, ana.id, at(1)).await.unwrap());
    let erased = b.users.delete(ana.id, false, at(9)).await.unwrap().unwrap();
    assert_eq!((erased.groups_deleted, erased.files), (1, 2));
    assert!(!b.is_stored(sent).await && !b.is_stored(avatar).await);
    assert_eq!(b.due(at(9)).await.len(), 2);
}
