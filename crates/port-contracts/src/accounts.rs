//! The deletion of accounts.

use crate::Backend;
use crate::fixture::*;
use tertulia_domain::repository::{Activity, Erased, NewUser};
use tertulia_domain::{
    LoginName, MemberRole, MessageContent, MessageRange, Profile, ProfileValue, Role, SearchPrefix, User,
};

/// A user with everything that a user can have, logged in.
async fn somebody(b: &Backend) -> Person {
    let new = NewUser {
        email: Some(email("ana@example.org")),
        display_name: Some(display_name("Ana López")),
        profile: Profile::new([("phone".to_owned(), ProfileValue::Integer(1))]).unwrap(),
        role: Role::User,
        ..new_user("ana")
    };
    let user = b.users.insert(new).await.unwrap();
    Person { id: user.id, session: b.session(user.id).await }
}

pub async fn a_deleted_user_keeps_nothing_but_the_place(b: Backend) {
    let ana = somebody(&b).await;
    let before = b.find_user(ana.id).await;
    b.session(ana.id).await;
    let luis = b.person("luis").await;
    let erased = b.users.delete(ana.id, false, at(9)).await.unwrap();
    assert_eq!(erased, Some(Erased { sessions: 2, ..Erased::default() }));
    let after = b.find_user(ana.id).await;
    let expected = User {
        username: None,
        email: None,
        display_name: None,
        profile: Profile::default(),
        updated_at: at(9),
        deleted_at: Some(at(9)),
        // Not promised either way.
        role: after.role,
        last_seen_at: after.last_seen_at,
        ..before
    };
    assert_eq!(after, expected);
    assert!(b.users.find_password(ana.id).await.unwrap().is_none());
    for name in ["ana", "ana@example.org"] {
        assert!(b.users.find_credentials(&LoginName::parse(name).unwrap()).await.unwrap().is_none());
    }
    let prefix = SearchPrefix::new("ana").unwrap();
    assert!(b.users.list(prefix, None, limit(10)).await.unwrap().items.is_empty());
    assert_eq!(b.users.list(None, None, limit(10)).await.unwrap().items, [b.find_user(luis.id).await]);
    assert!(b.sessions.find_caller(ana.session, at(10)).await.unwrap().is_none());
    assert!(b.sessions.find_caller(luis.session, at(10)).await.unwrap().is_some());
}

pub async fn a_deleted_users_names_are_free(b: Backend) {
    let ana = somebody(&b).await;
    b.users.delete(ana.id, false, at(1)).await.unwrap();
    let next = b.users.insert(NewUser { email: Some(email("ANA@example.org")), ..new_user("ANA") }).await.unwrap();
    let found = b.users.find_credentials(&LoginName::parse("ana").unwrap()).await.unwrap().unwrap();
    assert_eq!(found.user, next);
    assert_eq!(b.find_user(ana.id).await.username, None);
}

pub async fn nobody_is_deleted_twice(b: Backend) {
    let ana = somebody(&b).await;
    assert!(b.users.delete(ana.id, false, at(1)).await.unwrap().is_some());
    let after = b.find_user(ana.id).await;
    assert_eq!(b.users.delete(ana.id, true, at(2)).await.unwrap(), None);
    assert_eq!(b.find_user(ana.id).await, after);
    assert_eq!(b.users.delete(user_id(), true, at(2)).await.unwrap(), None);
}

pub async fn a_deleted_user_is_seen_no_more(b: Backend) {
    let ana = somebody(&b).await;
    b.users.delete(ana.id, false, at(1)).await.unwrap();
    let after = b.find_user(ana.id).await;
    // Activity is written late.
    let late = Activity {
        session: ana.session,
        at: at(2),
    };
    b.sessions.record_activity(vec![late]).await.unwrap();
    assert_eq!(b.find_user(ana.id).await, after);
}

pub async fn a_deleted_user_leaves_every_group(b: Backend) {
    let ana = somebody(&b).await;
    let [luis, eva, leo] = b.people(["luis", "eva", "leo"]).await;
    // Owned, with an admin who joined last; owned, with members only; not owned; owned alone, twice.
    let with_admin = b.group(ana, &[luis]).await;
    b.join(with_admin, eva, at(1)).await;
    b.chats.set_role(with_admin, eva.id, MemberRole::Admin, at(2)).await.unwrap();
    let with_members = b.group(ana, &[]).await;
    b.join(with_members, leo, at(1)).await;
    b.join(with_members, luis, at(2)).await;
    let others = b.group(luis, &[ana, leo]).await;
    let alone = [b.group(ana, &[]).await, b.group(ana, &[]).await];
    let apart = b.group(luis, &[eva]).await;
    b.send(with_members, ana, "still here", at(3)).await;

    let erased = b.users.delete(ana.id, false, at(9)).await.unwrap();
    assert_eq!(erased, Some(Erased { sessions: 1, groups_left: 3, groups_deleted: 2, messages: 0, files: 0 }));

    let roles = async |chat| {
        b.members(chat).await.into_iter().map(|m| (m.user.id, m.membership.role)).collect::<Vec<_>>()
    };
    assert_eq!(roles(with_admin).await, [(luis.id, MemberRole::Member), (eva.id, MemberRole::Owner)]);
    assert_eq!(roles(with_members).await, [(leo.id, MemberRole::Owner), (luis.id, MemberRole::Member)]);
    let mut rest = roles(others).await;
    rest.sort();
    let mut expected = [(luis.id, MemberRole::Owner), (leo.id, MemberRole::Member)];
    expected.sort();
    assert_eq!(rest, expected);
    for chat in alone {
        assert_eq!(b.chats.find(chat, luis.id).await.unwrap(), None);
    }
    assert_eq!(b.view(apart, luis).await.chat.member_count, 2);
    assert_eq!(b.chats.find_member(others, ana.id).await.unwrap(), None);
    assert_eq!(b.whole_history(with_members, luis).await.len(), 1);
}

pub async fn a_deleted_users_messages_and_direct_chats_stay(b: Backend) {
    let ana = somebody(&b).await;
    let luis = b.person("luis").await;
    let direct = b.direct(ana, luis).await;
    let group = b.group(luis, &[ana]).await;
    for chat in [direct, group] {
        let first = b.send(chat, ana, "hello", at(1)).await;
        let mut answer = luis.message(chat, "hello yourself", at(2));
        answer.reply_to = Some(first.id);
        b.messages.append(answer).await.unwrap();
        b.send(chat, ana, "bye", at(3)).await;
    }
    let erased = b.users.delete(ana.id, false, at(9)).await.unwrap();
    assert_eq!(erased, Some(Erased { sessions: 1, groups_left: 1, groups_deleted: 0, messages: 0, files: 0 }));
    for chat in [direct, group] {
        let history = b.whole_history(chat, luis).await;
        let texts: Vec<_> = history.iter().map(|message| message.body().unwrap().as_str()).collect();
        assert_eq!(texts, ["hello", "hello yourself", "bye"]);
        let nameless = |author: &tertulia_domain::Author| {
            assert_eq!((author.id, &author.username, &author.display_name), (ana.id, &None, &None));
        };
        nameless(&history[0].sender);
        nameless(&history[1].reply_to.as_ref().unwrap().sender);
        nameless(&b.view(chat, luis).await.last_message.unwrap().sender);
        assert_eq!(history[1].sender.username, Some(username("luis")));
    }
    // The direct chat goes on, with a nameless party.
    let view = b.view(direct, luis).await;
    assert_eq!((view.chat.member_count, view.members.len()), (2, 2));
    let other = view.members.iter().find(|member| member.user.id == ana.id).unwrap();
    assert_eq!((&other.user.username, other.user.deleted_at), (&None, Some(at(9))));
    assert_eq!(b.chat_page(luis, None, 10).await.items.len(), 2);
    b.send(direct, luis, "anybody there?", at(10)).await;
}

pub async fn to_erase_an_account_blanks_its_messages_everywhere(b: Backend) {
    let ana = somebody(&b).await;
    let luis = b.person("luis").await;
    let direct = b.direct(luis, ana).await;
    let group = b.group(luis, &[ana]).await;
    let left = b.group(luis, &[ana]).await;
    for chat in [direct, group, left] {
        b.send(chat, ana, "mine", at(1)).await;
        let mut answer = luis.message(chat, "his", at(2));
        answer.reply_to = Some(b.whole_history(chat, luis).await[0].id);
        b.messages.append(answer).await.unwrap();
        b.send(chat, ana, "mine too", at(3)).await;
    }
    b.chats.remove_member(left, ana.id, false, at(4)).await.unwrap();
    // One is deleted already: it is not counted, and its time stays.
    let early = b.whole_history(group, luis).await[0].id;
    assert!(b.messages.delete(group, early, at(5)).await.unwrap());

    let erased = b.users.delete(ana.id, true, at(9)).await.unwrap();
    assert_eq!(erased, Some(Erased { sessions: 1, groups_left: 1, groups_deleted: 0, messages: 5, files: 0 }));

    for chat in [direct, group, left] {
        let history = b.whole_history(chat, luis).await;
        let first = if chat == group { at(5) } else { at(9) };
        assert_eq!(history[0].content, MessageContent::Deleted { at: first });
        assert_eq!(history[1].body().unwrap().as_str(), "his");
        assert_eq!(history[1].reply_to.as_ref().unwrap().body, None);
        assert_eq!(history[2].content, MessageContent::Deleted { at: at(9) });
        let view = b.view(chat, luis).await;
        assert_eq!((view.chat.last_seq, view.last_message), (seq(3), Some(history[2].clone())));
    }
}

pub async fn to_erase_many_messages_counts_them_all(b: Backend) {
    let ana = somebody(&b).await;
    let luis = b.person("luis").await;
    let group = b.group(luis, &[ana]).await;
    b.send_many(group, ana, 150).await;
    b.send_many(group, luis, 2).await;
    let erased = b.users.delete(ana.id, true, at(200)).await.unwrap().unwrap();
    assert_eq!(erased.messages, 150);
    let page = b.history(group, luis, MessageRange::Newest, 500).await;
    assert_eq!(page.items.iter().filter(|message| message.body().is_some()).count(), 2);
}

pub async fn an_owner_of_many_groups_is_followed_in_each(b: Backend) {
    let ana = somebody(&b).await;
    let crowd = b.crowd(5).await;
    let mut groups = Vec::new();
    for n in 0..20 {
        let group = b.group(ana, &[]).await;
        b.join(group, crowd[n % 5], at(1)).await;
        b.join(group, crowd[(n + 1) % 5], at(2)).await;
        groups.push((group, crowd[n % 5]));
    }
    let erased = b.users.delete(ana.id, false, at(9)).await.unwrap().unwrap();
    assert_eq!((erased.groups_left, erased.groups_deleted), (20, 0));
    for (group, heir) in groups {
        let owners: Vec<_> =
            b.members(group).await.into_iter().filter(|m| m.membership.role == MemberRole::Owner).collect();
        assert_eq!(owners.iter().map(|m| m.user.id).collect::<Vec<_>>(), [heir.id]);
    }
}
