use crate::Backend;
use crate::fixture::*;
use tertulia_domain::repository::{AppendError, AppendMessage, MessageContext, UserChanges};
use tertulia_domain::{
    Author, ChatId, ClaimedSession, MemberRole, Message, MessageContent, MessageId, ReplyPreview, Role, Timestamp,
};

async fn append(b: &Backend, new: AppendMessage) -> Result<Message, AppendError> {
    let appended = b.messages.append(new).await?;
    assert!(!appended.replayed);
    Ok(appended.message)
}

/// Sends an answer.
async fn reply(b: &Backend, chat: ChatId, sender: Person, text: &str, to: MessageId) -> Message {
    let new = AppendMessage { reply_to: Some(to), ..sender.message(chat, text, at(50)) };
    append(b, new).await.unwrap()
}

/// The message as its chat's members find it.
async fn found(b: &Backend, message: &Message) -> Message {
    b.messages.find(message.chat_id, message.id, message.sender.id).await.unwrap().expect("the message is there").message
}

/// Two members of a group, the first its owner.
async fn two_in_a_group(b: &Backend) -> (ChatId, Person, Person) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    (b.group(ana, &[luis]).await, ana, luis)
}

pub async fn a_sent_message_is_what_was_given(b: Backend) {
    let (chat, ana, luis) = two_in_a_group(&b).await;
    let names = UserChanges { display_name: Some(Some(display_name("Ana López"))), ..UserChanges::default() };
    b.users.update(ana.id, names, at(0)).await.unwrap();
    let new = ana.message(chat, "hello", at(5));
    let message = append(&b, new.clone()).await.unwrap();
    let expected = Message {
        id: new.id,
        chat_id: chat,
        seq: seq(1),
        sender: Author {
            id: ana.id,
            username: Some(username("ana")),
            display_name: Some(display_name("Ana López")),
            avatar: None,
        },
        content: MessageContent::Present { body: Some(body("hello")), attachments: Vec::new() },
        reply_to: None,
        addressee: None,
        created_at: at(5),
        edited_at: None,
    };
    assert_eq!(message, expected);
    assert_eq!(found(&b, &message).await, expected);
    assert_eq!(b.whole_history(chat, luis).await, [expected.clone()]);
    assert_eq!(b.view(chat, luis).await.last_message, Some(expected));
}

pub async fn bodies_come_back_as_they_went(b: Backend) {
    let (chat, ana, _) = two_in_a_group(&b).await;
    let long = "😀".repeat(8_000);
    let texts = [
        "x",
        "  leading space, and inner  \n\n\t lines",
        "'; DROP TABLE messages; --",
        "quotes \" ' ` ´ and \\ backslashes \\n \\0 \\u0041 %_ $1 ?1 :name @name {} {0}",
        "e\u{301} is not é, ﬁ is not fi, Å is not Å",
        "العربية עברית 中文 हिन्दी 👩\u{200D}👩\u{200D}👧\u{200D}👦 🏳\u{FE0F}\u{200D}🌈 \u{202E}reversed\u{202C}",
        "\u{FEFF}\u{FFFD}\u{10FFFF}\u{E000}",
        "null",
        "{\"json\": [1, 2.50, null]}",
        &long,
    ];
    for (n, text) in (1..).zip(texts) {
        let message = b.send(chat, ana, text, at(n)).await;
        assert_eq!(message.body().unwrap().as_str(), text);
        assert_eq!(found(&b, &message).await, message);
        let edited = b.messages.edit(chat, message.id, &body("other"), at(n)).await.unwrap().unwrap();
        assert_eq!(edited.body().unwrap().as_str(), "other");
        b.messages.edit(chat, message.id, &body(text), at(n)).await.unwrap().unwrap();
        // An answer shows it too.
        let answer = reply(&b, chat, ana, text, message.id).await;
        assert_eq!(answer.reply_to.unwrap().body.unwrap().as_str(), text);
    }
    let history = b.whole_history(chat, ana).await;
    for (message, text) in history.iter().step_by(2).zip(texts) {
        assert_eq!(message.body().unwrap().as_str(), text);
    }
}

pub async fn times_keep_their_milliseconds(b: Backend) {
    let ana = b.person("ana").await;
    // Sessions must outlive the last of them: their chat is new each time.
    for millis in [at(1), at(876), at(877), at(1_000), at(LIFE - 1)] {
        let chat = b.group(ana, &[]).await;
        let message = b.send(chat, ana, "hello", millis).await;
        assert_eq!(message.created_at, millis);
        b.messages.edit(chat, message.id, &body("x"), Timestamp::from_millis(999)).await.unwrap();
        let edited = found(&b, &message).await;
        assert_eq!((edited.created_at, edited.edited_at), (millis, Some(Timestamp::from_millis(999))));
        let last = Timestamp::from_millis(i64::MAX);
        assert!(b.messages.delete(chat, message.id, last).await.unwrap());
        assert_eq!(found(&b, &message).await.deleted_at(), Some(last));
    }
}

pub async fn each_chat_counts_its_own_messages(b: Backend) {
    let (group, ana, luis) = two_in_a_group(&b).await;
    let direct = b.direct(ana, luis).await;
    for n in 1..=3 {
        for chat in [group, direct] {
            assert_eq!(b.send(chat, ana, "one", at(n)).await.seq, seq(2 * n - 1));
            assert_eq!(b.send(chat, luis, "two", at(n)).await.seq, seq(2 * n));
        }
    }
    for chat in [group, direct] {
        assert_eq!(b.whole_history(chat, ana).await.len(), 6);
        assert!(b.messages.delete(chat, b.whole_history(chat, ana).await[5].id, at(9)).await.unwrap());
        assert_eq!(b.send(chat, ana, "next", at(9)).await.seq, seq(7), "a deleted message keeps its number");
    }
}

pub async fn to_send_is_to_have_read(b: Backend) {
    let (chat, ana, luis) = two_in_a_group(&b).await;
    let eva = b.person("eva").await;
    b.join(chat, eva, at(0)).await;
    let unread = async || {
        let mut unread = Vec::new();
        for person in [ana, luis, eva] {
            let view = b.view(chat, person).await;
            assert_eq!(view.chat.last_seq.get() - view.unread_count(), view.membership.unwrap().read_seq.get());
            unread.push(view.unread_count());
        }
        unread
    };
    assert_eq!(unread().await, [0, 0, 0]);
    b.send(chat, ana, "1", at(1)).await;
    b.send(chat, ana, "2", at(2)).await;
    assert_eq!(unread().await, [0, 2, 2]);
    b.send(chat, luis, "3", at(3)).await;
    assert_eq!(unread().await, [1, 0, 3]);
    b.chats.mark_read(chat, eva.id, seq(2)).await.unwrap();
    assert_eq!(unread().await, [1, 0, 1]);
    // A deleted message stays counted.
    let last = b.send(chat, luis, "4", at(4)).await;
    assert!(b.messages.delete(chat, last.id, at(5)).await.unwrap());
    assert_eq!(unread().await, [2, 0, 2]);
}

pub async fn a_message_makes_its_chat_active(b: Backend) {
    let (chat, ana, luis) = two_in_a_group(&b).await;
    let other = b.group(luis, &[]).await;
    b.send(chat, ana, "hello", at(100)).await;
    let times = async |chat| {
        let chat = b.view(chat, ana).await.chat;
        (chat.created_at, chat.active_at, chat.updated_at)
    };
    assert_eq!(times(chat).await, (at(0), at(100), at(100)));
    assert_eq!(times(other).await, (at(0), at(0), at(0)));
    // A clock that is behind neither turns the chat's time back nor the history's.
    assert_eq!(b.send(chat, luis, "late", at(40)).await.created_at, at(100));
    assert_eq!(times(chat).await, (at(0), at(100), at(100)));
    assert_eq!(b.send(chat, luis, "same", at(100)).await.created_at, at(100));
    assert_eq!(b.send(chat, luis, "next", at(101)).await.created_at, at(101));
    assert_eq!(times(chat).await, (at(0), at(101), at(101)));
    assert_eq!(b.send(other, luis, "before it was made", at(-50)).await.created_at, at(0));
    assert_eq!(times(other).await, (at(0), at(0), at(0)));
    b.whole_history(chat, ana).await;
}

pub async fn an_answer_shows_its_message_as_it_is_now(b: Backend) {
    let (chat, ana, luis) = two_in_a_group(&b).await;
    b.send(chat, luis, "before", at(1)).await;
    let asked = b.send(chat, ana, "question", at(2)).await;
    let answer = reply(&b, chat, luis, "answer", asked.id).await;
    let mut preview = ReplyPreview {
        id: asked.id,
        seq: seq(2),
        sender: Author { id: ana.id, username: Some(username("ana")), display_name: None, avatar: None },
        body: Some(body("question")),
    };
    let check = async |preview: &ReplyPreview| {
        let shown = found(&b, &answer).await;
        assert_eq!(shown.reply_to.as_ref(), Some(preview));
        assert_eq!(b.whole_history(chat, ana).await[2], shown);
        assert_eq!(b.view(chat, ana).await.last_message, Some(shown));
    };
    assert_eq!(answer.reply_to, Some(preview.clone()));
    check(&preview).await;

    b.messages.edit(chat, asked.id, &body("changed"), at(60)).await.unwrap();
    preview.body = Some(body("changed"));
    check(&preview).await;

    let renamed = UserChanges {
        username: Some(Some(username("anita"))),
        display_name: Some(Some(display_name("Anita"))),
        ..UserChanges::default()
    };
    b.users.update(ana.id, renamed, at(61)).await.unwrap();
    preview.sender.username = Some(username("anita"));
    preview.sender.display_name = Some(display_name("Anita"));
    check(&preview).await;

    b.messages.delete(chat, asked.id, at(62)).await.unwrap();
    preview.body = None;
    check(&preview).await;

    // A deleted message keeps its place, and so can be answered; an answer too.
    assert_eq!(reply(&b, chat, ana, "too late", asked.id).await.reply_to, Some(preview));
    assert_eq!(reply(&b, chat, ana, "and on", answer.id).await.reply_to.unwrap().seq, seq(3));
}

pub async fn an_answer_stays_within_its_chat(b: Backend) {
    let (chat, ana, luis) = two_in_a_group(&b).await;
    let other = b.direct(ana, luis).await;
    b.send(chat, ana, "here", at(1)).await;
    let elsewhere = b.send(other, ana, "elsewhere", at(1)).await;
    for missing in [elsewhere.id, message_id()] {
        let new = AppendMessage { reply_to: Some(missing), ..luis.message(chat, "answer", at(2)) };
        assert_matches!(append(&b, new).await, Err(AppendError::ReplyNotFound));
    }
    let own = message_id();
    let new = AppendMessage { id: own, reply_to: Some(own), ..luis.message(chat, "to itself", at(2)) };
    assert_matches!(append(&b, new).await, Err(AppendError::ReplyNotFound));
    assert_eq!(b.send(chat, luis, "next", at(3)).await.seq, seq(2));
}

pub async fn what_fails_takes_no_number(b: Backend) {
    let (chat, ana, luis) = two_in_a_group(&b).await;
    let outsider = b.person("outsider").await;
    let first = b.send(chat, ana, "first", at(1)).await;
    let before = b.view(chat, luis).await;

    assert_matches!(append(&b, outsider.message(chat, "x", at(9))).await, Err(AppendError::ChatNotFound));
    assert_matches!(append(&b, luis.message(chat_id(), "x", at(9))).await, Err(AppendError::ChatNotFound));
    let unknown = AppendMessage { reply_to: Some(message_id()), ..luis.message(chat, "x", at(9)) };
    assert_matches!(append(&b, unknown).await, Err(AppendError::ReplyNotFound));
    let ended = ClaimedSession { session_id: session_id(), ..luis.session };
    let new = AppendMessage { session: ended, ..luis.message(chat, "x", at(9)) };
    assert_matches!(append(&b, new).await, Err(AppendError::SessionEnded));
    // An identifier that is not fresh is a bug of the caller's, and still does no harm.
    let taken = AppendMessage { id: first.id, ..luis.message(chat, "x", at(9)) };
    assert_matches!(append(&b, taken).await, Err(AppendError::Repository(_)));

    assert_eq!(b.view(chat, luis).await, before, "nothing of it happened");
    assert_eq!(b.send(chat, luis, "second", at(10)).await.seq, seq(2));
    assert_eq!(b.whole_history(chat, ana).await.len(), 2);
}

pub async fn to_send_takes_a_living_session(b: Backend) {
    let (chat, ana, luis) = two_in_a_group(&b).await;
    let outsider = b.person("outsider").await;
    let short = new_session(ana.id, at(0), at(100));
    let session = ClaimedSession { session_id: short.session.id, user_id: ana.id };
    b.sessions.insert(short, 10).await.unwrap();
    for (now, alive) in [(99, true), (100, false), (101, false)] {
        let outcome = append(&b, AppendMessage { session, ..ana.message(chat, "hello", at(now)) }).await;
        if alive {
            outcome.unwrap();
        } else {
            assert_matches!(outcome, Err(AppendError::SessionEnded));
        }
    }
    // Somebody else's session, in which they would be allowed to.
    let others = ClaimedSession { user_id: ana.id, ..luis.session };
    let new = AppendMessage { session: others, ..ana.message(chat, "x", at(1)) };
    assert_matches!(append(&b, new).await, Err(AppendError::SessionEnded));
    // The session comes first: without one, nobody learns which chats there are.
    b.sessions.end_all(outsider.id).await.unwrap();
    b.sessions.end_all(luis.id).await.unwrap();
    for chat in [chat, chat_id()] {
        for person in [outsider, luis] {
            assert_matches!(append(&b, person.message(chat, "x", at(1))).await, Err(AppendError::SessionEnded));
        }
    }
    b.users.delete(ana.id, false, at(1)).await.unwrap();
    assert_matches!(append(&b, ana.message(chat, "x", at(1))).await, Err(AppendError::SessionEnded));
}

pub async fn only_members_send(b: Backend) {
    let (chat, ana, luis) = two_in_a_group(&b).await;
    let outsider = b.person("outsider").await;
    let direct = b.direct(ana, luis).await;
    for chat in [chat, direct] {
        assert_matches!(append(&b, outsider.message(chat, "x", at(1))).await, Err(AppendError::ChatNotFound));
    }
    b.send(chat, luis, "still in", at(1)).await;
    b.chats.remove_member(chat, luis.id, false, at(2)).await.unwrap();
    assert_matches!(append(&b, luis.message(chat, "x", at(3))).await, Err(AppendError::ChatNotFound));
    b.join(chat, outsider, at(4)).await;
    assert_eq!(b.send(chat, outsider, "now in", at(5)).await.seq, seq(2));
}

pub async fn a_service_admin_sends_anywhere(b: Backend) {
    let (group, ana, luis) = two_in_a_group(&b).await;
    let root = b.service_admin("root").await;
    for chat in [group, b.direct(ana, luis).await] {
        b.send(chat, ana, "hello", at(1)).await;
        let message = b.send(chat, root, "a word from the house", at(2)).await;
        assert_eq!((message.seq, message.sender.id), (seq(2), root.id));
        assert_eq!(b.whole_history(chat, root).await.len(), 2);
        // That makes them no member.
        let view = b.view(chat, root).await;
        assert_eq!((view.membership, view.chat.member_count), (None, 2));
        assert_eq!(b.members(chat).await.len(), 2);
        assert_eq!(b.view(chat, luis).await.unread_count(), 2);
        assert_eq!(b.view(chat, ana).await.unread_count(), 1);
    }
    assert!(b.chat_page(root, None, 10).await.items.is_empty());
    // One who is a member reads like a member.
    b.join(group, root, at(3)).await;
    b.send(group, root, "now inside", at(4)).await;
    assert_eq!(b.view(group, root).await.unread_count(), 0);
    b.chats.remove_member(group, root.id, false, at(5)).await.unwrap();
    // And one who is no admin any more has no say.
    let demoted = UserChanges { role: Some(Role::User), ..UserChanges::default() };
    b.users.update(root.id, demoted, at(6)).await.unwrap();
    assert_matches!(append(&b, root.message(group, "x", at(7))).await, Err(AppendError::ChatNotFound));
    let nowhere = b.service_admin("root2").await.message(chat_id(), "x", at(7));
    assert_matches!(append(&b, nowhere).await, Err(AppendError::ChatNotFound));
}

pub async fn a_message_is_found_with_what_decides_about_it(b: Backend) {
    let (group, ana, luis) = two_in_a_group(&b).await;
    let direct = b.direct(ana, luis).await;
    let [eva, stranger] = b.people(["eva", "stranger"]).await;
    b.join(group, eva, at(0)).await;
    b.chats.set_role(group, eva.id, MemberRole::Admin, at(0)).await.unwrap();
    let message = b.send(group, luis, "hello", at(1)).await;
    for (viewer, role) in [
        (ana.id, Some(MemberRole::Owner)),
        (eva.id, Some(MemberRole::Admin)),
        (luis.id, Some(MemberRole::Member)),
        (stranger.id, None),
        (user_id(), None),
    ] {
        let context = b.messages.find(group, message.id, viewer).await.unwrap();
        assert_eq!(context, Some(MessageContext { message: message.clone(), group: true, viewer: role }));
    }
    assert_eq!(b.messages.find(direct, message.id, ana.id).await.unwrap(), None, "it stands in another chat");
    assert_eq!(b.messages.find(chat_id(), message.id, ana.id).await.unwrap(), None);
    assert_eq!(b.messages.find(group, message_id(), ana.id).await.unwrap(), None);
    let message = b.send(direct, ana, "hello", at(1)).await;
    for (viewer, role) in [(luis.id, Some(MemberRole::Member)), (eva.id, None)] {
        let context = b.messages.find(direct, message.id, viewer).await.unwrap();
        assert_eq!(context, Some(MessageContext { message: message.clone(), group: false, viewer: role }));
    }
}

pub async fn an_edited_message_has_another_body_and_says_when(b: Backend) {
    let (chat, ana, luis) = two_in_a_group(&b).await;
    let first = b.send(chat, ana, "first", at(1)).await;
    let second = reply(&b, chat, ana, "second", first.id).await;
    let chat_before = b.view(chat, luis).await.chat;
    assert_eq!(chat_before.updated_at, at(50));
    for n in [100, 200] {
        let edited = b.messages.edit(chat, second.id, &body(format!("text {n}")), at(n)).await.unwrap();
        let expected = Message {
            content: MessageContent::Present { body: Some(body(format!("text {n}"))), attachments: Vec::new() },
            edited_at: Some(at(n)),
            ..second.clone()
        };
        assert_eq!(edited, Some(expected.clone()));
        assert_eq!(found(&b, &second).await, expected);
    }
    assert_eq!(found(&b, &first).await, first);
    // The chat has changed, and was not active.
    let chat_after = b.view(chat, luis).await.chat;
    assert_eq!(chat_after.updated_at, at(200));
    assert_eq!((chat_after.active_at, chat_after.last_seq), (chat_before.active_at, chat_before.last_seq));
}

pub async fn what_is_not_there_is_not_edited(b: Backend) {
    let (chat, ana, luis) = two_in_a_group(&b).await;
    let other = b.direct(ana, luis).await;
    let message = b.send(chat, ana, "hello", at(1)).await;
    for (chat, id) in [(other, message.id), (chat, message_id()), (chat_id(), message.id)] {
        assert_eq!(b.messages.edit(chat, id, &body("x"), at(2)).await.unwrap(), None);
    }
    assert_eq!(found(&b, &message).await, message);
    b.messages.delete(chat, message.id, at(3)).await.unwrap();
    let deleted = found(&b, &message).await;
    assert_eq!(b.messages.edit(chat, message.id, &body("back"), at(4)).await.unwrap(), None);
    assert_eq!(found(&b, &message).await, deleted);
}

pub async fn a_deleted_message_keeps_its_place_and_first_time(b: Backend) {
    let (chat, ana, luis) = two_in_a_group(&b).await;
    let other = b.direct(ana, luis).await;
    let first = b.send(chat, ana, "first", at(1)).await;
    let second = reply(&b, chat, ana, "second", first.id).await;
    b.messages.edit(chat, second.id, &body("edited"), at(60)).await.unwrap();
    for (chat, id) in [(other, second.id), (chat, message_id()), (chat_id(), second.id)] {
        assert!(!b.messages.delete(chat, id, at(70)).await.unwrap());
    }
    for time in [100, 200, 50] {
        assert!(b.messages.delete(chat, second.id, at(time)).await.unwrap());
        let deleted = found(&b, &second).await;
        assert_eq!(deleted.content, MessageContent::Deleted { at: at(100) });
        assert_eq!((deleted.seq, &deleted.sender, deleted.created_at), (seq(2), &second.sender, second.created_at));
    }
    assert_eq!(found(&b, &first).await, first);
    assert_eq!(b.whole_history(chat, luis).await.len(), 2);
    let chat = b.view(chat, luis).await.chat;
    assert_eq!((chat.active_at, chat.updated_at), (at(50), at(100)));
}
