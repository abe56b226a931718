//! Many calls at once. Which of them comes first is nobody's business; what they add up to is.

use crate::Backend;
use crate::fixture::*;
use futures_util::future::{join, join_all};
use std::collections::{BTreeMap, BTreeSet};
use tertulia_domain::repository::{
    Activity, AddMemberError, AppendError, AppendMessage, InsertChatError, InsertUserError, NewDirectChat, NewMember,
    NewUser, Removal, RotateRefresh, Rotation, SetRoleError, UpdateUserError, UserChanges,
};
use tertulia_domain::{ChatId, ClaimedSession, MemberRole, MessageRange, RefreshHashes, Seq, UserId};

/// The roles of a chat's members, which are as many as the chat says and have exactly one owner among them.
async fn roles(b: &Backend, chat: ChatId) -> BTreeMap<UserId, MemberRole> {
    let roles: BTreeMap<_, _> = b.members(chat).await.into_iter().map(|m| (m.user.id, m.membership.role)).collect();
    assert_eq!(roles.values().filter(|role| **role == MemberRole::Owner).count(), 1, "{roles:?}");
    roles
}

pub async fn of_many_registrations_of_a_name_one_succeeds(b: Backend) {
    let spellings = ["ana", "ANA", "Ana", "aNa"];
    let outcomes = join_all((0..16).map(|n| b.users.insert(new_user(spellings[n % 4])))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert_matches!(error, InsertUserError::UsernameTaken);
    }
    let outcomes = join_all((0..16).map(|n| {
        let address = format!("{}@example.org", spellings[n % 4]);
        b.users.insert(NewUser { email: Some(email(&address)), ..new_user(&format!("user{n}")) })
    }))
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert_matches!(error, InsertUserError::EmailTaken);
    }
    assert_eq!(b.users.list(None, None, limit(100)).await.unwrap().items.len(), 2);
}

pub async fn users_registered_at_once_have_different_numbers(b: Backend) {
    let users = join_all((0..16).map(|n| b.users.insert(new_user(&format!("user{n}"))))).await;
    let numbers: BTreeSet<_> = users.into_iter().map(|user| user.unwrap().number).collect();
    assert_eq!(numbers.len(), 16);
}

pub async fn of_many_changes_to_a_name_one_succeeds(b: Backend) {
    let crowd = b.crowd(16).await;
    let changes = UserChanges { username: Some(Some(username("wanted"))), ..UserChanges::default() };
    let outcomes = join_all(crowd.iter().map(|person| b.users.update(person.id, changes.clone(), at(1)))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert_matches!(error, UpdateUserError::UsernameTaken);
    }
}

pub async fn a_token_used_twice_at_once_ends_its_session(b: Backend) {
    for (name, copies) in [("two", 2_u8), ("many", 16)] {
        let user = b.user(name).await;
        let new = new_session(user.id, at(0), at(100));
        let (session_id, refresh) = (new.session.id, new.refresh);
        b.sessions.insert(new, 10).await.unwrap();
        let outcomes = join_all((0..copies).map(|n| {
            let next_secret = [100 + n; 32];
            let rotation =
                RotateRefresh { session_id, presented: refresh, next_secret, at: at(10), expires_at: at(110) };
            b.sessions.rotate(rotation)
        }))
        .await;
        let (mut rotated, mut reused, mut unknown) = (Vec::new(), 0, 0);
        for (n, outcome) in (0..copies).zip(outcomes) {
            match outcome.unwrap() {
                Rotation::Rotated { .. } => rotated.push(n),
                Rotation::Reused => reused += 1,
                Rotation::Unknown => unknown += 1,
            }
        }
        assert_eq!((rotated.len(), reused, unknown), (1, 1, copies - 2));
        // What the one has got is worth nothing.
        let claim = ClaimedSession { session_id, user_id: user.id };
        assert_eq!(b.sessions.find_caller(claim, at(11)).await.unwrap(), None);
        let presented = RefreshHashes { secret: [100 + rotated[0]; 32], ..refresh };
        let next = RotateRefresh { session_id, presented, next_secret: [9; 32], at: at(11), expires_at: at(111) };
        assert_eq!(b.sessions.rotate(next).await.unwrap(), Rotation::Unknown);
    }
}

pub async fn sessions_begun_at_once_keep_to_their_number(b: Backend) {
    let user = b.user("ana").await;
    let begun = join_all((0..16).map(|n| b.sessions.insert(new_session(user.id, at(n), at(LIFE)), 5))).await;
    assert!(begun.into_iter().all(Result::unwrap));
    // One more looks at them all.
    assert!(b.sessions.insert(new_session(user.id, at(20), at(LIFE)), 5).await.unwrap());
    assert_eq!(b.sessions.list(user.id, at(30)).await.unwrap().len(), 5);
}

pub async fn activity_recorded_in_opposite_orders(b: Backend) {
    let crowd = b.crowd(20).await;
    for round in 0..5 {
        let outcomes = join_all((0..8).map(|n| {
            let entry = |person: &Person| Activity { session: person.session, at: at(100 * round + n) };
            let mut batch: Vec<_> = crowd.iter().map(entry).collect();
            if n % 2 == 0 {
                batch.reverse();
            }
            b.sessions.record_activity(batch)
        }))
        .await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        for person in &crowd {
            assert_eq!(b.find_user(person.id).await.last_seen_at, Some(at(100 * round + 7)));
        }
    }
}

pub async fn of_many_who_want_a_direct_chat_one_makes_it(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let outcomes = join_all((0..16).map(|n| {
        let (creator, other) = if n % 2 == 0 { (ana.id, luis.id) } else { (luis.id, ana.id) };
        b.chats.insert_direct(NewDirectChat { id: chat_id(), creator, other, at: at(n) }, None)
    }))
    .await;
    let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| fresh_of(outcome.unwrap())).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.created).count(), 1);
    let chat = &outcomes[0].view.chat;
    assert!(outcomes.iter().all(|outcome| &outcome.view.chat == chat && outcome.view.members.len() == 2));
    for person in [ana, luis] {
        assert_eq!(b.chat_page(person, None, 10).await.items.len(), 1);
    }
    assert_eq!(b.members(chat.id).await.len(), 2);
}

pub async fn messages_sent_at_once_are_numbered_without_gaps(b: Backend) {
    let mut crowd = b.crowd(16).await;
    let outsider = b.person("outsider").await;
    let ended = b.person("ended").await;
    let chats = [b.group(crowd[0], &crowd[1..]).await, b.group(crowd[15], &crowd[..15]).await, b.direct(crowd[0], crowd[1]).await];
    for chat in &chats[..2] {
        b.join(*chat, ended, at(0)).await;
    }
    b.sessions.end_all(ended.id).await.unwrap();
    crowd.rotate_left(1);
    let rounds = 4;
    let outcomes = join_all(crowd.iter().enumerate().map(async |(n, person)| {
        let mut sent = Vec::new();
        for round in 0..rounds {
            for (index, chat) in chats.iter().enumerate() {
                let mut new = person.message(*chat, &format!("{n} {round}"), at(i64::try_from(n).unwrap() % 3));
                // Every fourth call fails in one of three ways.
                let failure = (n + round + index) % 4 == 0;
                match (n + round) % 3 {
                    _ if !failure => {}
                    0 => new.session = outsider.session,
                    1 => new.session = ended.session,
                    _ => new.reply_to = Some(message_id()),
                }
                let member = index < 2 || n == 0 || n == 15;
                match b.messages.append(new).await {
                    Ok(appended) => {
                        assert!(!failure && member);
                        sent.push((*chat, appended.message.seq.get(), appended.message.id));
                    }
                    Err(AppendError::Repository(error)) => panic!("{error:?}"),
                    Err(_) => assert!(failure || !member),
                }
            }
        }
        sent
    }))
    .await;
    for chat in chats {
        let mut numbered: Vec<_> = outcomes.iter().flatten().filter(|sent| sent.0 == chat).collect();
        numbered.sort_by_key(|sent| sent.1);
        let history = b.whole_history(chat, crowd[0]).await;
        assert!(history.len() >= 6);
        // What each sender was told is what every reader sees, and nothing else was stored.
        let stored: Vec<_> = history.iter().map(|message| (chat, message.seq.get(), message.id)).collect();
        assert_eq!(numbered, stored.iter().collect::<Vec<_>>());
        for (n, sent) in outcomes.iter().enumerate() {
            let newest = sent.iter().filter(|sent| sent.0 == chat).map(|sent| sent.1).max();
            assert!(sent.iter().filter(|sent| sent.0 == chat).is_sorted_by_key(|sent| sent.1), "its own order");
            if let Some(newest) = newest {
                assert_eq!(b.member(chat, crowd[n]).await.membership.read_seq.get(), newest);
            }
        }
    }
}

pub async fn reading_and_sending_at_once(b: Backend) {
    let crowd = b.crowd(8).await;
    let chat = b.group(crowd[0], &crowd[1..]).await;
    join_all(crowd.iter().map(async |person| {
        for n in 0..6 {
            b.send(chat, *person, "hello", at(n)).await;
            let before = b.view(chat, *person).await;
            let state = b.chats.mark_read(chat, person.id, seq(i64::MAX), at(9)).await.unwrap().unwrap();
            assert_eq!(state.read_seq, state.last_seq, "read to the end");
            assert!(state.read_seq >= before.read_seq() && before.read_seq() > Seq::ZERO);
        }
    }))
    .await;
    assert_eq!(b.whole_history(chat, crowd[0]).await.len(), 48);
    for person in &crowd {
        let read = b.chats.mark_read(chat, person.id, Seq::ZERO, at(9)).await.unwrap().unwrap();
        assert_eq!(read.last_seq, seq(48));
        assert!(read.read_seq <= read.last_seq);
    }
}

pub async fn pages_read_while_many_send(b: Backend) {
    let crowd = b.crowd(8).await;
    let chat = b.group(crowd[0], &crowd[1..]).await;
    let sending = join_all(crowd.iter().map(async |person| {
        for n in 0..8 {
            b.send(chat, *person, "hello", at(n)).await;
        }
    }));
    // A number, once seen, stands for good: whoever follows from it misses nothing.
    let following = async {
        let mut seen = 0;
        for _ in 0..200 {
            for message in b.history(chat, crowd[0], MessageRange::After(seq(seen)), 5).await.items {
                seen += 1;
                assert_eq!(message.seq.get(), seen);
            }
        }
    };
    join(sending, following).await;
}

pub async fn a_user_added_many_times_at_once_is_added_once(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[]).await;
    for _ in 0..3 {
        let outcomes = join_all((0..16).map(|n| {
            let role = if n % 2 == 0 { MemberRole::Member } else { MemberRole::Admin };
            b.chats.add_member(NewMember { role, ..new_member(chat, luis, at(n)) }, None)
        }))
        .await;
        let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| fresh_of(outcome.unwrap())).collect();
        assert_eq!(outcomes.iter().filter(|outcome| outcome.added).count(), 1);
        let member = b.member(chat, luis).await;
        assert!(outcomes.iter().all(|outcome| outcome.member == member), "all find the same");
        assert_eq!(roles(&b, chat).await.len(), 2);
        b.chats.remove_member(chat, luis.id, false, at(20)).await.unwrap();
    }
}

pub async fn a_group_filled_at_once_is_not_overfilled(b: Backend) {
    let crowd = b.crowd(17).await;
    let chat = b.group(crowd[0], &[]).await;
    let outcomes = join_all(crowd[1..].iter().map(|person| {
        b.chats.add_member(NewMember { most: 6, ..new_member(chat, *person, at(1)) }, None)
    }))
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 5);
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert_matches!(error, AddMemberError::Full);
    }
    assert_eq!(roles(&b, chat).await.len(), 6);
}

pub async fn comings_and_goings_at_once_leave_an_exact_count(b: Backend) {
    let crowd = b.crowd(17).await;
    let chat = b.group(crowd[0], &crowd[1..9]).await;
    join_all(crowd[1..].iter().enumerate().map(async |(n, person)| {
        // Those inside go, come and go; those outside come, go and come; all of it twice at once with somebody else.
        let twin = crowd[1 + (n + 1) % 16];
        for step in 0..3 {
            if (n < 8) == (step % 2 == 0) {
                b.chats.remove_member(chat, person.id, true, at(step)).await.unwrap();
                b.chats.remove_member(chat, twin.id, true, at(step)).await.unwrap();
            } else {
                b.chats.add_member(new_member(chat, *person, at(step)), None).await.unwrap();
                b.chats.add_member(new_member(chat, twin, at(step)), None).await.unwrap();
            }
        }
    }))
    .await;
    assert_eq!(roles(&b, chat).await[&crowd[0].id], MemberRole::Owner);
}

pub async fn a_group_handed_over_many_times_at_once_has_one_owner(b: Backend) {
    let crowd = b.crowd(8).await;
    let chat = b.group(crowd[0], &crowd[1..]).await;
    for _ in 0..3 {
        let outcomes = join_all((0..16).map(|n| {
            let person = crowd[(n + 1) % 8];
            b.chats.set_role(chat, person.id, MemberRole::Owner, at(1))
        }))
        .await;
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        // Everybody has owned it.
        let admins = roles(&b, chat).await.into_values().filter(|role| *role == MemberRole::Admin).count();
        assert_eq!(admins, 7);
    }
}

pub async fn owners_who_leave_while_it_is_handed_over(b: Backend) {
    let crowd = b.crowd(12).await;
    let chat = b.group(crowd[0], &crowd[1..]).await;
    let leaving = join_all(crowd[..8].iter().map(|person| b.chats.remove_member(chat, person.id, false, at(2))));
    let giving = join_all((0..12).map(async |n: usize| {
        let person = crowd[(5 * n) % 12];
        match b.chats.set_role(chat, person.id, MemberRole::Owner, at(1)).await {
            Ok(_) | Err(SetRoleError::MemberNotFound) => {}
            Err(error) => panic!("{error:?}"),
        }
    }));
    let (left, _) = join(leaving, giving).await;
    for outcome in left {
        assert_matches!(outcome.unwrap(), Some(Removal::Removed { .. }));
    }
    let expected: BTreeSet<_> = crowd[8..].iter().map(|person| person.id).collect();
    assert_eq!(roles(&b, chat).await.into_keys().collect::<BTreeSet<_>>(), expected);
}

pub async fn of_the_last_ones_leaving_at_once_one_deletes_the_group(b: Backend) {
    let crowd = b.crowd(8).await;
    for _ in 0..3 {
        let chat = b.group(crowd[0], &crowd[1..]).await;
        let outcomes = join_all(crowd.iter().map(|person| b.chats.remove_member(chat, person.id, false, at(1)))).await;
        let outcomes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap().unwrap()).collect();
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Removal::ChatDeleted).count(), 1);
        assert!(!outcomes.contains(&Removal::NotAMember));
        assert_eq!(b.chats.find(chat, crowd[0].id).await.unwrap(), None);
    }
}

pub async fn users_of_the_same_groups_deleted_at_once(b: Backend) {
    let crowd = b.crowd(6).await;
    let rest = b.person("rest").await;
    let (mut shared, mut doomed) = (Vec::new(), Vec::new());
    for n in 0..6 {
        let mut members = crowd.clone();
        members.rotate_left(n);
        doomed.push(b.group(members[0], &members[1..]).await);
        members.push(rest);
        shared.push(b.group(members[0], &members[1..]).await);
    }
    for chat in shared.iter().chain(&doomed) {
        for person in &crowd {
            b.send(*chat, *person, "hello", at(1)).await;
        }
    }
    let outcomes = join_all(crowd.iter().map(|person| b.users.delete(person.id, true, at(2)))).await;
    let (mut left, mut deleted) = (0, 0);
    for outcome in outcomes {
        let erased = outcome.unwrap().unwrap();
        left += erased.groups_left;
        deleted += erased.groups_deleted;
    }
    assert_eq!((left, deleted), (6 * 12 - 6, 6));
    for chat in doomed {
        assert_eq!(b.chats.find(chat, rest.id).await.unwrap(), None);
    }
    for chat in shared {
        assert_eq!(roles(&b, chat).await.into_keys().collect::<Vec<_>>(), [rest.id]);
        assert!(b.whole_history(chat, rest).await.iter().all(|message| message.body().is_none()));
    }
}

pub async fn an_account_deleted_many_times_at_once_is_deleted_once(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let outcomes = join_all((0..8).map(|n| b.users.delete(ana.id, n % 2 == 0, at(n)))).await;
    assert_eq!(outcomes.into_iter().filter_map(Result::unwrap).count(), 1);
    assert_eq!(roles(&b, chat).await.into_keys().collect::<Vec<_>>(), [luis.id]);
}

pub async fn a_user_deleted_while_being_added_is_in_no_group(b: Backend) {
    let owner = b.person("owner").await;
    for round in 0..5 {
        let ana = b.person(&format!("ana{round}")).await;
        let mut groups = Vec::new();
        for _ in 0..6 {
            groups.push(b.group(owner, &[]).await);
        }
        let adding = join_all(groups.iter().map(async |group| {
            match b.chats.add_member(new_member(*group, ana, at(1)), None).await {
                Ok(_) | Err(AddMemberError::UserNotFound) => {}
                Err(error) => panic!("{error:?}"),
            }
        }));
        let making = join_all((0..6).map(async |_| {
            match b.chats.insert_group(new_group(owner, &[ana]), None).await {
                Ok(made) => Some(fresh_of(made).view.chat.id),
                Err(InsertChatError::UserNotFound(_)) => None,
                Err(error) => panic!("{error:?}"),
            }
        }));
        let (deleted, (_, made)) = join(b.users.delete(ana.id, false, at(2)), join(adding, making)).await;
        assert!(deleted.unwrap().is_some());
        for group in groups.into_iter().chain(made.into_iter().flatten()) {
            assert_eq!(roles(&b, group).await.into_keys().collect::<Vec<_>>(), [owner.id]);
        }
    }
}

pub async fn a_session_begun_while_its_user_is_deleted_does_not_live(b: Backend) {
    for round in 0..5 {
        let user = b.user(&format!("ana{round}")).await;
        let sessions = join_all((0..8).map(|_| b.sessions.insert(new_session(user.id, at(0), at(LIFE)), 100)));
        let (deleted, begun) = join(b.users.delete(user.id, false, at(1)), sessions).await;
        assert!(deleted.unwrap().is_some());
        assert!(begun.iter().all(Result::is_ok), "{begun:?}");
        assert_eq!(b.sessions.list(user.id, at(2)).await.unwrap(), []);
    }
}

pub async fn a_chat_deleted_while_it_is_used_is_gone(b: Backend) {
    let crowd = b.crowd(6).await;
    for _ in 0..4 {
        let chat = b.group(crowd[0], &crowd[1..5]).await;
        let first = b.send(chat, crowd[0], "hello", at(1)).await;
        let sending = join_all(crowd[..5].iter().map(async |person| {
            for n in 0..4 {
                let new = AppendMessage { reply_to: Some(first.id), ..person.message(chat, "hello", at(n)) };
                match b.messages.append(new).await {
                    Ok(_) | Err(AppendError::ChatNotFound) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }));
        let moving = async {
            match b.chats.add_member(new_member(chat, crowd[5], at(2)), None).await {
                Ok(_) | Err(AddMemberError::ChatNotFound) => {}
                Err(error) => panic!("{error:?}"),
            }
            b.chats.mark_read(chat, crowd[1].id, seq(1), at(9)).await.unwrap();
            b.chats.remove_member(chat, crowd[2].id, false, at(3)).await.unwrap();
            b.messages.edit(chat, first.id, &body("x"), at(4)).await.unwrap();
            b.messages.delete(chat, first.id, at(4)).await.unwrap();
        };
        let (deleted, _) = join(b.chats.delete(chat, at(9)), join(sending, moving)).await;
        assert!(deleted.unwrap());
        assert_eq!(b.chats.find(chat, crowd[0].id).await.unwrap(), None);
        assert_eq!(b.messages.find(chat, first.id, crowd[0].id).await.unwrap(), None);
        for person in &crowd {
            assert!(b.chat_page(*person, None, 10).await.items.is_empty());
        }
    }
}

pub async fn a_message_deleted_many_times_at_once_keeps_one_time(b: Backend) {
    let ana = b.person("ana").await;
    let chat = b.group(ana, &[]).await;
    let message = b.send(chat, ana, "hello", at(1)).await;
    let edited = body("edited");
    let editing = join_all((0..8).map(|n| b.messages.edit(chat, message.id, &edited, at(n))));
    let times: Vec<_> = (10..18).map(at).collect();
    let deleting = join_all(times.iter().map(|time| b.messages.delete(chat, message.id, *time)));
    let (edits, deleted) = join(editing, deleting).await;
    assert!(edits.iter().all(Result::is_ok), "{edits:?}");
    assert!(deleted.into_iter().all(Result::unwrap));
    let first = b.whole_history(chat, ana).await.remove(0);
    assert!(times.contains(&first.deleted_at().unwrap()));
    assert_eq!(first.body(), None);
    assert!(b.messages.delete(chat, message.id, at(99)).await.unwrap());
    assert_eq!(b.whole_history(chat, ana).await, [first]);
}
