//! Pictures of users and groups.

use crate::Backend;
use crate::fixture::*;
use futures_util::future::join_all;
use tertulia_domain::repository::{NewDirectChat, RotateRefresh, Rotation};
use tertulia_domain::{LoginName, SearchPrefix};

pub async fn a_users_avatar_is_shown_everywhere(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(luis, &[ana]).await;
    let message = b.send(chat, ana, "hello", at(1)).await;
    assert_eq!(message.sender.avatar, None);
    let mut answer = luis.message(chat, "hello yourself", at(2));
    answer.reply_to = Some(message.id);
    b.messages.append(answer).await.unwrap();
    let file = b.upload(new_image(ana, 2)).await;
    let user = b.users.set_avatar(ana.id, Some(file.id), at(3)).await.unwrap().unwrap();
    assert_eq!(user.avatar, Some(file.clone()));
    assert_eq!(b.find_user(ana.id).await, user);
    let login = LoginName::parse("ana").unwrap();
    assert_eq!(b.users.find_credentials(&login).await.unwrap().unwrap().user, user);
    let prefix = SearchPrefix::new("ana").unwrap();
    assert_eq!(b.users.list(prefix, None, limit(5)).await.unwrap().items, [user.clone()]);
    assert_eq!(b.member(chat, ana).await.user.avatar, Some(file.clone()));
    assert_eq!(b.member(chat, luis).await.user.avatar, None);
    let preview = b.view(chat, luis).await.members;
    assert_eq!(preview.iter().find(|member| member.user.id == ana.id).unwrap().user, user);
    let history = b.whole_history(chat, luis).await;
    assert_eq!(history[0].sender.avatar, Some(file.clone()));
    assert_eq!(history[1].sender.avatar, None);
    assert_eq!(history[1].reply_to.as_ref().unwrap().sender.avatar, Some(file.clone()));
    assert_eq!(b.send(chat, ana, "look", at(4)).await.sender.avatar, Some(file.clone()));
    assert_eq!(
        b.chat_page(luis, None, 5).await.items[0].last_message.as_ref().unwrap().sender.avatar,
        Some(file.clone())
    );
    let session = new_session(ana.id, at(0), at(LIFE));
    let (session_id, presented) = (session.session.id, session.refresh);
    assert!(b.sessions.insert(session, 10).await.unwrap());
    let rotation = RotateRefresh { session_id, presented, next_secret: [2; 32], at: at(5), expires_at: at(LIFE) };
    match b.sessions.rotate(rotation).await.unwrap() {
        Rotation::Rotated { user, .. } => assert_eq!(user.avatar, Some(file)),
        other => panic!("{other:?}"),
    }
}

pub async fn an_avatar_is_one_of_ones_own_files(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let foreign = b.image(luis, 2).await;
    // To read it is not to own it.
    b.attach(chat, luis, &[foreign], at(1)).await.unwrap();
    let before = b.find_user(ana.id).await;
    for file in [foreign, file_id()] {
        assert_eq!(b.users.set_avatar(ana.id, Some(file), at(2)).await.unwrap(), None);
        assert!(!b.chats.set_avatar(chat, file, ana.id, at(2)).await.unwrap());
    }
    assert_eq!(b.find_user(ana.id).await, before);
    assert_eq!(b.view(chat, ana).await.chat.avatar, None);
    let own = b.image(ana, 4).await;
    assert_eq!(b.users.set_avatar(user_id(), Some(own), at(2)).await.unwrap(), None);
    assert_eq!(b.users.set_avatar(user_id(), None, at(2)).await.unwrap(), None);
    b.users.delete(luis.id, false, at(3)).await.unwrap();
    assert_eq!(b.users.set_avatar(luis.id, Some(foreign), at(4)).await.unwrap(), None);
    assert_eq!(b.find_user(luis.id).await.avatar, None);
}

pub async fn a_replaced_avatar_is_gone(b: Backend) {
    let ana = b.person("ana").await;
    let [first, second] = [b.image(ana, 2).await, b.image(ana, 4).await];
    let objects = [b.object_of(first).await, b.object_of(second).await];
    b.users.set_avatar(ana.id, Some(first), at(1)).await.unwrap().unwrap();
    // The same once more is still there.
    let user = b.users.set_avatar(ana.id, Some(first), at(2)).await.unwrap().unwrap();
    assert_eq!(user.avatar.map(|file| file.id), Some(first));
    assert!(b.is_stored(first).await && b.due(at(LIFE)).await.is_empty());
    let user = b.users.set_avatar(ana.id, Some(second), at(3)).await.unwrap().unwrap();
    assert_eq!(user.avatar.map(|file| file.id), Some(second));
    assert!(!b.is_stored(first).await);
    assert_eq!(b.due(at(3)).await, [objects[0].clone()].into());
    let user = b.users.set_avatar(ana.id, None, at(4)).await.unwrap().unwrap();
    assert_eq!(user.avatar, None);
    assert_eq!(b.find_user(ana.id).await, user);
    assert!(!b.is_stored(second).await);
    assert_eq!(b.due(at(4)).await, objects.into());
    let user = b.users.set_avatar(ana.id, None, at(5)).await.unwrap().unwrap();
    assert_eq!(user.avatar, None);
}

pub async fn a_group_has_an_avatar(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let [chat, other] = [b.group(ana, &[luis]).await, b.group(ana, &[luis]).await];
    let file = b.upload(new_image(ana, 2)).await;
    let object = b.object_of(file.id).await;
    assert!(b.chats.set_avatar(chat, file.id, ana.id, at(1)).await.unwrap());
    assert_eq!(b.view(chat, luis).await.chat.avatar, Some(file.clone()));
    let listed = b.chat_page(luis, None, 5).await.items;
    assert_eq!(listed.iter().find(|view| view.chat.id == chat).unwrap().chat.avatar, Some(file.clone()));
    assert_eq!(listed.iter().find(|view| view.chat.id == other).unwrap().chat.avatar, None);
    assert!(b.chats.set_avatar(chat, file.id, ana.id, at(2)).await.unwrap());
    assert!(b.is_stored(file.id).await);
    let next = b.image(luis, 4).await;
    assert!(b.chats.set_avatar(chat, next, luis.id, at(3)).await.unwrap());
    assert_eq!(b.view(chat, ana).await.chat.avatar.map(|file| file.id), Some(next));
    assert!(!b.is_stored(file.id).await);
    assert_eq!(b.due(at(3)).await, [object].into());
}

pub async fn only_groups_have_an_avatar(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let direct = b.direct(ana, luis).await;
    let file = b.image(ana, 2).await;
    assert!(!b.chats.set_avatar(direct, file, ana.id, at(1)).await.unwrap());
    assert!(!b.chats.set_avatar(chat_id(), file, ana.id, at(1)).await.unwrap());
    assert_eq!(b.view(direct, ana).await.chat.avatar, None);
    let again = NewDirectChat { id: chat_id(), creator: ana.id, other: luis.id, at: at(2) };
    assert_eq!(fresh_of(b.chats.insert_direct(again, None).await.unwrap()).view.chat.avatar, None);
    assert_eq!(b.files.collect_unused(at(1), at(1), 10).await.unwrap(), 1, "nothing uses it");
}

pub async fn an_avatar_set_many_times_at_once_is_one_of_them(b: Backend) {
    let ana = b.person("ana").await;
    let mut files = Vec::new();
    for n in 0..8 {
        files.push(b.image(ana, n).await);
    }
    for outcome in join_all(files.iter().map(|file| b.users.set_avatar(ana.id, Some(*file), at(1)))).await {
        assert!(outcome.unwrap().is_some());
    }
    let avatar = b.find_user(ana.id).await.avatar.unwrap().id;
    for file in files {
        assert_eq!(b.is_stored(file).await, file == avatar, "each one but the last was replaced");
    }
    assert_eq!(b.due(at(1)).await.len(), 7);
}
