//! Chats as overviews: on numbered pages, with totals, members and what each of them has not read.

use crate::Backend;
use crate::fixture::*;
use OverviewOrder::{Activity, Change};
use futures_util::future::{join, join_all};
use std::cmp::Reverse;
use tertulia_domain::repository::{ListOverviews, NewGroup, OverviewOrder, UserChanges};
use tertulia_domain::{ChatId, ChatOverview, Counted, Note, NoteText, Timestamp, UserId, Window};

/// The viewer's own chats, by activity, on one page.
fn own(viewer: Person) -> ListOverviews {
    ListOverviews {
        viewer: viewer.id,
        everybodys: false,
        with: None,
        direct: false,
        members: false,
        order: Activity,
        window: Window::page(1, 100),
    }
}

async fn list(b: &Backend, list: ListOverviews) -> Counted<ChatOverview> {
    b.overviews.list(list).await.unwrap()
}

/// The chats that are listed, and how many there are in all.
async fn ids(b: &Backend, query: ListOverviews) -> (Vec<ChatId>, i64) {
    let Counted { items, total } = list(b, query).await;
    (items.iter().map(|overview| overview.chat.id).collect(), total)
}

async fn find(b: &Backend, chat: ChatId, viewer: Person) -> ChatOverview {
    b.overviews.find(chat, viewer.id).await.unwrap().expect("the chat is there")
}

fn members(overview: &ChatOverview) -> Vec<UserId> {
    overview.members.iter().map(|member| member.member.user.id).collect()
}

/// What each of them has not read, which the chat by itself and the list of each tell alike.
async fn unread<const N: usize>(b: &Backend, chat: ChatId, people: [Person; N]) -> [i64; N] {
    let mut numbers = [0; N];
    for (number, person) in numbers.iter_mut().zip(people) {
        let overview = find(b, chat, person).await;
        let listed = b.own_overviews(person).await;
        assert_eq!(listed.iter().find(|listed| listed.chat.id == chat), Some(&overview));
        *number = overview.unread(person.id);
    }
    let shown = find(b, chat, people[0]).await;
    assert_eq!(people.map(|person| shown.unread(person.id)), numbers, "whoever looks");
    numbers
}

/// A group of one, made at that time.
async fn group_at(b: &Backend, owner: Person, at: Timestamp) -> ChatId {
    let new = NewGroup { at, ..new_group(owner, &[]) };
    fresh_of(b.chats.insert_group(new, None).await.unwrap()).view.chat.id
}

pub async fn overviews_come_latest_activity_first(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    assert_eq!(ids(&b, own(ana)).await, (vec![], 0));
    let middle = group_at(&b, ana, at(20)).await;
    let oldest = group_at(&b, ana, at(10)).await;
    let newest = group_at(&b, ana, at(30)).await;
    group_at(&b, luis, at(40)).await;
    assert_eq!(ids(&b, own(ana)).await, (vec![newest, middle, oldest], 3));
    let sent = b.send(oldest, ana, "hello", at(50)).await;
    assert_eq!(ids(&b, own(ana)).await, (vec![oldest, newest, middle], 3));
    // To rename, to read, to let somebody in, to edit, to delete: none of it is activity.
    b.chats.rename(middle, &title("Other"), at(60)).await.unwrap();
    b.join(newest, luis, at(70)).await;
    b.messages.edit(oldest, sent.id, &body("edited"), at(80)).await.unwrap();
    b.messages.delete(oldest, sent.id, at(90)).await.unwrap();
    assert_eq!(ids(&b, own(ana)).await, (vec![oldest, newest, middle], 3));
}

pub async fn overviews_come_latest_change_first(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let order = || ListOverviews { order: Change, ..own(ana) };
    let [first, second] = [group_at(&b, ana, at(10)).await, group_at(&b, ana, at(20)).await];
    let chats = async || ids(&b, order()).await;
    assert_eq!(chats().await, (vec![second, first], 2));
    let sent = b.send(first, ana, "hello", at(30)).await;
    assert_eq!(chats().await.0, [first, second]);
    b.chats.rename(second, &title("Other"), at(40)).await.unwrap();
    assert_eq!(chats().await.0, [second, first]);
    b.messages.edit(first, sent.id, &body("edited"), at(50)).await.unwrap();
    assert_eq!(chats().await.0, [first, second]);
    b.join(second, luis, at(60)).await;
    assert_eq!(chats().await.0, [second, first]);
    b.messages.delete(first, sent.id, at(70)).await.unwrap();
    assert_eq!(chats().await.0, [first, second]);
    b.chats.remove_member(second, luis.id, false, at(80)).await.unwrap();
    assert_eq!(chats().await.0, [second, first]);
    let note = Note { text: NoteText::new("noted").unwrap(), sender: ana.id, at: at(0) };
    b.chats.set_note(first, &note, at(90)).await.unwrap();
    assert_eq!(chats().await, (vec![first, second], 2));
    assert_eq!(ids(&b, own(ana)).await.0, [first, second], "the one that was last sent to");
    // To read changes nothing about the chat.
    b.send(second, ana, "hello", at(100)).await;
    b.chats.mark_read(first, ana.id, seq(1)).await.unwrap();
    assert_eq!(chats().await.0, [second, first]);
}

pub async fn overviews_of_one_time_stand_by_id(b: Backend) {
    let ana = b.person("ana").await;
    let mut chats = Vec::new();
    for n in 0..11 {
        chats.push(((n / 6) * 10, group_at(&b, ana, at((n / 6) * 10)).await));
    }
    chats.sort_by_key(|chat| Reverse(*chat));
    let expected: Vec<_> = chats.into_iter().map(|(_, id)| id).collect();
    for order in [Activity, Change] {
        for size in [1, 2, 3, 5, 10, 11, 12, 1_000] {
            let mut pages: Vec<_> = expected.chunks(size.into()).map(<[ChatId]>::to_vec).collect();
            // Past the end there is nothing.
            pages.extend([vec![], vec![]]);
            for (number, page) in (1..).zip(pages) {
                let query = ListOverviews { order, window: Window::page(number, size), ..own(ana) };
                assert_eq!(ids(&b, query).await, (page, 11), "page {number} of {size}");
            }
        }
        let far = ListOverviews { order, window: Window::page(u32::MAX, 1_000), ..own(ana) };
        assert_eq!(ids(&b, far).await, (vec![], 11));
    }
}

pub async fn ones_own_chats_are_listed_or_everybodys(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let shared = b.group(ana, &[luis]).await;
    let direct = b.direct(luis, eva).await;
    let alone = b.group(eva, &[]).await;
    for (n, chat, sender) in [(1, shared, ana), (2, direct, eva), (3, alone, eva)] {
        b.send(chat, sender, "hello", at(n)).await;
    }
    assert_eq!(ids(&b, own(ana)).await, (vec![shared], 1));
    assert_eq!(ids(&b, own(luis)).await, (vec![direct, shared], 2));
    assert_eq!(ids(&b, own(eva)).await, (vec![alone, direct], 2));
    let all = ListOverviews { everybodys: true, members: true, ..own(ana) };
    assert_eq!(ids(&b, all).await, (vec![alone, direct, shared], 3));
    for overview in list(&b, all).await.items {
        assert_eq!(overview.membership.is_some(), overview.chat.id == shared);
        assert_eq!(overview, find(&b, overview.chat.id, ana).await);
        if overview.chat.id != shared {
            assert_eq!(overview.unread(ana.id), 0);
        }
    }
    let second = ListOverviews { window: Window::page(2, 2), ..all };
    assert_eq!(ids(&b, second).await, (vec![shared], 3));
    // Somebody who is in no chat, or in none any more.
    let leo = b.person("leo").await;
    assert_eq!(ids(&b, own(leo)).await, (vec![], 0));
    assert_eq!(ids(&b, ListOverviews { viewer: leo.id, ..all }).await.1, 3);
    b.chats.remove_member(shared, luis.id, false, at(9)).await.unwrap();
    assert_eq!(ids(&b, own(luis)).await, (vec![direct], 1));
    b.chats.delete(direct).await.unwrap();
    assert_eq!(ids(&b, own(luis)).await, (vec![], 0));
    assert_eq!(ids(&b, all).await, (vec![alone, shared], 2));
}

pub async fn chats_with_somebody_are_listed(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let both = group_at(&b, ana, at(1)).await;
    let all = group_at(&b, eva, at(2)).await;
    for (chat, user) in [(both, luis), (all, luis), (all, ana)] {
        b.join(chat, user, at(3)).await;
    }
    let direct = b.direct(ana, luis).await;
    b.send(direct, ana, "hello", at(4)).await;
    let others = b.direct(luis, eva).await;
    b.send(others, eva, "hello", at(5)).await;
    let alone = group_at(&b, ana, at(6)).await;
    let with = |user: UserId| ListOverviews { with: Some(user), ..own(ana) };
    assert_eq!(ids(&b, with(luis.id)).await, (vec![direct, all, both], 3));
    assert_eq!(ids(&b, with(eva.id)).await, (vec![all], 1));
    assert_eq!(ids(&b, with(ana.id)).await, (vec![alone, direct, all, both], 4));
    assert_eq!(ids(&b, with(user_id())).await, (vec![], 0));
    let only_direct = ListOverviews { direct: true, ..with(luis.id) };
    assert_eq!(ids(&b, only_direct).await, (vec![direct], 1));
    let second = ListOverviews { window: Window::page(2, 2), ..with(luis.id) };
    assert_eq!(ids(&b, second).await, (vec![both], 3));
    let everybodys = ListOverviews { everybodys: true, ..with(luis.id) };
    assert_eq!(ids(&b, everybodys).await, (vec![others, direct, all, both], 4));
    let everybodys = ListOverviews { everybodys: true, ..with(eva.id) };
    assert_eq!(ids(&b, everybodys).await, (vec![others, all], 2));
}

pub async fn direct_chats_are_listed_alone(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    group_at(&b, ana, at(9)).await;
    let [first, second] = [b.direct(ana, luis).await, b.direct(eva, ana).await];
    b.send(first, ana, "hello", at(1)).await;
    b.send(second, ana, "hello", at(2)).await;
    let others = b.direct(luis, eva).await;
    b.send(others, eva, "hello", at(3)).await;
    let direct = ListOverviews { direct: true, ..own(ana) };
    assert_eq!(ids(&b, direct).await, (vec![second, first], 2));
    let everybodys = ListOverviews { everybodys: true, ..direct };
    assert_eq!(ids(&b, everybodys).await, (vec![others, second, first], 3));
    for overview in list(&b, direct).await.items {
        let other = if overview.chat.id == first { luis } else { eva };
        assert_eq!(overview.other(ana.id).unwrap().user, b.find_user(other.id).await);
    }
}

pub async fn members_are_shown_where_they_are_asked_for(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let group = b.group(luis, &[]).await;
    b.join(group, ana, at(5)).await;
    b.join(group, eva, at(3)).await;
    let direct = b.direct(ana, luis).await;
    for wanted in [false, true] {
        let query = ListOverviews { members: wanted, ..own(ana) };
        for overview in list(&b, query).await.items {
            let single = find(&b, overview.chat.id, ana).await;
            if overview.chat.id == group && !wanted {
                assert_eq!(overview.members, []);
                assert_eq!(ChatOverview { members: single.members.clone(), ..overview }, single);
            } else {
                assert_eq!(overview, single);
            }
        }
    }
    assert_eq!(members(&find(&b, group, ana).await), [luis.id, eva.id, ana.id], "longest-standing first");
    for (chat, count) in [(group, 3), (direct, 2)] {
        let overview = find(&b, chat, eva).await;
        let shown: Vec<_> = overview.members.into_iter().map(|member| member.member).collect();
        assert_eq!(shown, b.members(chat).await, "as they are listed by themselves");
        assert_eq!(shown.len(), count);
    }
}

pub async fn an_overview_shows_a_thousand_members_at_the_most(b: Backend) {
    let owner = b.person("owner").await;
    let mut new = new_group(owner, &[]);
    for some in 0..91 {
        let users = join_all((0..11).map(|n| b.users.insert(new_user(&format!("crowd{some}.{n}"))))).await;
        new.members.extend(users.into_iter().map(|user| user.unwrap().id));
    }
    let chat = fresh_of(b.chats.insert_group(new, None).await.unwrap()).view.chat.id;
    b.send(chat, owner, "hello", at(1)).await;
    let overview = find(&b, chat, owner).await;
    assert_eq!(overview.chat.member_count, 1_002);
    assert_eq!(i64::try_from(overview.members.len()).unwrap(), ChatOverview::MAX_MEMBERS);
    let shown: Vec<_> = overview.members.iter().map(|member| member.member.clone()).collect();
    assert_eq!(shown[..500], b.chats.list_members(chat, None, limit(500)).await.unwrap().items);
    for member in &overview.members {
        assert_eq!(member.unread, i64::from(member.member.user.id != owner.id));
    }
    let listed = list(&b, ListOverviews { members: true, ..own(owner) }).await;
    assert_eq!(listed.items, [overview]);
}

pub async fn an_overview_shows_what_a_single_chat_shows(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let group = b.group(ana, &[luis]).await;
    let avatar = b.image(ana, 1).await;
    b.chats.set_avatar(group, avatar, ana.id, at(1)).await.unwrap();
    let direct = b.direct(luis, ana).await;
    let empty = b.group(luis, &[ana]).await;
    for chat in [group, direct] {
        let first = b.send(chat, luis, "hello", at(2)).await;
        let mut answer = ana.message(chat, "answer", at(3));
        answer.reply_to = Some(first.id);
        b.messages.append(answer).await.unwrap();
    }
    let renamed = UserChanges { username: Some(Some(username("lucho"))), ..UserChanges::default() };
    b.users.update(luis.id, renamed, at(4)).await.unwrap();
    for chat in [group, direct, empty] {
        for viewer in [ana, luis, eva] {
            let (overview, view) = (find(&b, chat, viewer).await, b.view(chat, viewer).await);
            assert_eq!(overview.chat, view.chat);
            assert_eq!(overview.membership, view.membership);
            assert_eq!(overview.last_message, view.last_message);
            assert_eq!((overview.blocked, overview.note), (view.blocked, None));
        }
    }
    assert_eq!(b.overviews.find(chat_id(), ana.id).await.unwrap(), None);
    b.chats.delete(group).await.unwrap();
    assert_eq!(b.overviews.find(group, ana.id).await.unwrap(), None);
}

pub async fn the_last_message_is_the_newest_that_is_left(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let last = async || {
        let overview = find(&b, chat, luis).await;
        let listed = b.own_overviews(luis).await;
        assert_eq!(listed, [overview.clone()]);
        overview.last_message.map(|message| message.seq.get())
    };
    assert_eq!(last().await, None);
    let sent = b.send_many(chat, ana, 4).await;
    assert_eq!(last().await, Some(4));
    for (deleted, left) in [(2, Some(4)), (4, Some(3)), (3, Some(1)), (1, None)] {
        b.messages.delete(chat, sent[deleted - 1].id, at(9)).await.unwrap();
        assert_eq!(last().await, left);
    }
    b.send(chat, luis, "next", at(10)).await;
    assert_eq!(last().await, Some(5));
    let file = b.file(ana, 1).await;
    let with_file = b.attach(chat, ana, &[file], at(11)).await.unwrap();
    assert_eq!(find(&b, chat, luis).await.last_message, Some(with_file));
    b.users.delete(ana.id, true, at(12)).await.unwrap();
    assert_eq!(last().await, Some(5));
}

pub async fn unread_messages_are_those_that_are_left(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let group = b.group(ana, &[luis, eva]).await;
    // Another chat's deleted messages are not counted off.
    let other = b.group(ana, &[luis, eva]).await;
    for message in b.send_many(other, ana, 3).await {
        b.messages.delete(other, message.id, at(5)).await.unwrap();
    }
    assert_eq!(unread(&b, group, [ana, luis, eva]).await, [0, 0, 0]);
    let sent = b.send_many(group, ana, 8).await;
    assert_eq!(unread(&b, group, [ana, luis, eva]).await, [0, 8, 8]);
    b.chats.mark_read(group, luis.id, seq(3)).await.unwrap();
    assert_eq!(unread(&b, group, [ana, luis, eva]).await, [0, 5, 8]);
    let steps = [(2, [0, 5, 7]), (3, [0, 5, 6]), (4, [0, 4, 5]), (6, [0, 3, 4]), (8, [0, 2, 3]), (8, [0, 2, 3])];
    for (deleted, left) in steps {
        b.messages.delete(group, sent[deleted - 1].id, at(9)).await.unwrap();
        assert_eq!(unread(&b, group, [ana, luis, eva]).await, left, "without {deleted}");
    }
    // Up to a deleted one, and over some.
    b.chats.mark_read(group, luis.id, seq(6)).await.unwrap();
    b.chats.mark_read(group, eva.id, seq(7)).await.unwrap();
    assert_eq!(unread(&b, group, [ana, luis, eva]).await, [0, 1, 0]);
    // To send is to have read.
    b.send(group, luis, "hello", at(20)).await;
    assert_eq!(unread(&b, group, [ana, luis, eva]).await, [1, 0, 1]);
    let leo = b.person("leo").await;
    b.join(group, leo, at(21)).await;
    assert_eq!(unread(&b, group, [ana, luis, eva, leo]).await, [1, 0, 1, 0]);
    b.send(group, ana, "hello", at(22)).await;
    assert_eq!(unread(&b, group, [ana, luis, eva, leo]).await, [0, 1, 2, 1]);
    b.users.delete(luis.id, true, at(23)).await.unwrap();
    assert_eq!(unread(&b, group, [ana, eva, leo]).await, [0, 1, 1]);
}

pub async fn both_of_a_direct_chat_are_told_what_they_have_not_read(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.direct(ana, luis).await;
    let sent = b.send_many(chat, ana, 3).await;
    assert_eq!(unread(&b, chat, [ana, luis]).await, [0, 3]);
    b.messages.delete(chat, sent[2].id, at(9)).await.unwrap();
    assert_eq!(unread(&b, chat, [ana, luis]).await, [0, 2]);
    b.send(chat, luis, "hello", at(10)).await;
    b.send(chat, luis, "hello", at(11)).await;
    assert_eq!(unread(&b, chat, [ana, luis]).await, [2, 0]);
    let outside = find(&b, chat, eva).await;
    assert_eq!((outside.membership, outside.unread(eva.id)), (None, 0));
    assert_eq!((outside.unread(ana.id), outside.unread(luis.id)), (2, 0));
    // Listed without the members of groups, direct chats have theirs.
    let listed = list(&b, own(luis)).await;
    assert_eq!(listed.items, [find(&b, chat, luis).await]);
    // One of the two deletes the account.
    b.users.delete(luis.id, false, at(12)).await.unwrap();
    let overview = find(&b, chat, ana).await;
    assert_eq!((overview.unread(ana.id), overview.members.len()), (2, 2));
    assert_eq!(overview.other(ana.id).unwrap().user, b.find_user(luis.id).await);
    assert_eq!(list(&b, own(ana)).await.items, [overview]);
}

pub async fn a_block_is_shown_in_the_overview(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chats = [b.direct(ana, luis).await, b.direct(ana, eva).await, b.group(ana, &[luis, eva]).await];
    let shown = async || {
        let mut blocked = Vec::new();
        for chat in chats {
            let [own, other] = [find(&b, chat, ana).await, find(&b, chat, eva).await];
            assert_eq!(own.blocked, other.blocked, "whoever looks");
            let listed = b.own_overviews(ana).await;
            assert!(listed.contains(&own));
            blocked.push(own.blocked);
        }
        blocked
    };
    assert_eq!(shown().await, [false, false, false]);
    b.moderation.block(luis.id, ana.id, 10, at(1)).await.unwrap();
    b.moderation.block(eva.id, luis.id, 10, at(1)).await.unwrap();
    assert_eq!(shown().await, [true, false, false]);
    b.moderation.block(ana.id, eva.id, 10, at(1)).await.unwrap();
    assert_eq!(shown().await, [true, true, false]);
    b.moderation.unblock(luis.id, ana.id, at(2)).await.unwrap();
    assert_eq!(shown().await, [false, true, false]);
}

pub async fn to_look_at_overviews_changes_nothing(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    b.send_many(chat, ana, 3).await;
    let before = (b.view(chat, luis).await, b.find_user(luis.id).await, b.member(chat, luis).await);
    let overview = find(&b, chat, luis).await;
    assert_eq!(list(&b, ListOverviews { members: true, ..own(luis) }).await.items, [overview.clone()]);
    assert_eq!(find(&b, chat, luis).await, overview);
    let after = (b.view(chat, luis).await, b.find_user(luis.id).await, b.member(chat, luis).await);
    assert_eq!(before, after);
}

pub async fn overviews_read_while_many_send(b: Backend) {
    let crowd = b.crowd(6).await;
    let chat = b.group(crowd[0], &crowd[1..]).await;
    let sending = join_all(crowd.iter().map(async |person| {
        for n in 0..8 {
            b.send(chat, *person, "hello", at(n)).await;
        }
    }));
    let reading = async {
        for n in 0..80 {
            // Whatever moment it was: everything is of the same one.
            let overview = if n % 2 == 0 {
                find(&b, chat, crowd[0]).await
            } else {
                list(&b, ListOverviews { members: true, ..own(crowd[0]) }).await.items.remove(0)
            };
            let last = overview.last_message.map_or(0, |message| message.seq.get());
            assert_eq!(last, overview.chat.last_seq.get());
            assert_eq!(overview.members.len(), 6);
            for member in overview.members {
                assert_eq!(member.unread, last - member.member.membership.read_seq.get());
            }
        }
    };
    join(sending, reading).await;
    assert_eq!(find(&b, chat, crowd[0]).await.chat.last_seq, seq(48));
}
