//! Reports, suspensions, removed messages, and the log.

use crate::Backend;
use crate::fixture::*;
use futures_util::future::{join, join_all};
use tertulia_domain::repository::{
    AppendError, AuditCursor, NewReport, ReportCursor, ReportFilter, RotateRefresh, Rotation,
};
use tertulia_domain::{
    AuditAction, AuditEntry, ChatId, LoginName, Message, MessageContent, MessageId, Page, Reason, Report, ReportId,
    Resolution, Timestamp, UserId,
};

pub(crate) fn new_report(reporter: Person, message: &Message, text: &str, now: i64) -> NewReport {
    NewReport {
        id: report_id(),
        reporter_id: reporter.id,
        chat_id: message.chat_id,
        message_id: message.id,
        reason: reason(text),
        at: at(now),
    }
}

async fn report(b: &Backend, reporter: Person, message: &Message, text: &str, now: i64) -> Report {
    let report = b.moderation.report(new_report(reporter, message, text, now)).await.unwrap();
    report.expect("the message is there")
}

async fn resolve(b: &Backend, id: ReportId, by: Person, note: &str, now: i64) -> Option<Report> {
    b.moderation.resolve_report(id, by.id, &reason(note), at(now)).await.unwrap()
}

async fn page(
    b: &Backend,
    filter: ReportFilter,
    after: Option<ReportCursor>,
    items: u16,
) -> Page<Report, ReportCursor> {
    b.moderation.list_reports(filter, after, limit(items)).await.unwrap()
}

async fn ids(b: &Backend, filter: ReportFilter) -> Vec<ReportId> {
    page(b, filter, None, 100).await.items.into_iter().map(|report| report.id).collect()
}

async fn suspend(b: &Backend, user: UserId, by: Person, now: i64) -> bool {
    b.moderation.suspend(user, by.id, &reason("spam"), at(now)).await.unwrap()
}

async fn remove(b: &Backend, chat: ChatId, message: MessageId, by: Person, why: Option<Reason>, now: i64) -> bool {
    b.moderation.remove_message(chat, message, by.id, why, at(now)).await.unwrap()
}

pub async fn a_report_is_what_was_given(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    b.send(chat, ana, "before", at(1)).await;
    let message = b.send(chat, luis, "buy 'pills' 😀", at(2)).await;
    let new = new_report(ana, &message, "two\nlines of \"spam\"", 3);
    let expected = Report {
        id: new.id,
        reporter_id: ana.id,
        chat_id: chat,
        message_id: message.id,
        seq: seq(2),
        sender_id: luis.id,
        body: Some("buy 'pills' 😀".to_owned()),
        reason: new.reason.clone(),
        created_at: at(3),
        resolution: None,
    };
    assert_eq!(b.moderation.report(new).await.unwrap(), Some(expected.clone()));
    assert_eq!(page(&b, ReportFilter::All, None, 5).await, Page { items: vec![expected], next: None });
}

pub async fn only_messages_of_that_chat_are_reported(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let [chat, other] = [b.group(ana, &[luis]).await, b.group(ana, &[luis]).await];
    let message = b.send(chat, luis, "hello", at(1)).await;
    let new = new_report(ana, &message, "spam", 2);
    for bad in [
        NewReport { chat_id: other, ..new.clone() },
        NewReport { chat_id: chat_id(), ..new.clone() },
        NewReport { message_id: message_id(), ..new },
    ] {
        assert_eq!(b.moderation.report(bad).await.unwrap(), None);
    }
    assert_eq!((ids(&b, ReportFilter::All).await, b.audit().await), (vec![], vec![]));
}

pub async fn a_report_keeps_what_the_message_said(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(ana, &[luis, eva]).await;
    let message = b.send(chat, luis, "something bad", at(1)).await;
    let first = report(&b, ana, &message, "bad", 2).await;
    b.messages.edit(chat, message.id, &body("something nice"), at(3)).await.unwrap();
    let second = report(&b, eva, &message, "bad", 4).await;
    assert_eq!(second.body.as_deref(), Some("something nice"));
    b.messages.delete(chat, message.id, at(5)).await.unwrap();
    assert_eq!(first.body.as_deref(), Some("something bad"));
    let listed = page(&b, ReportFilter::Open, None, 5).await.items;
    assert!(listed.len() == 2 && listed.contains(&first) && listed.contains(&second));
    // Now it says nothing.
    let third = b.moderation.report(new_report(luis, &message, "gone", 6)).await.unwrap().unwrap();
    assert_eq!((third.body, third.sender_id), (None, luis.id));
    // Not even the chat has to be there.
    b.chats.delete(chat, at(9)).await.unwrap();
    assert!(page(&b, ReportFilter::Open, None, 5).await.items.contains(&first));
}

pub async fn an_open_report_is_not_made_twice(b: Backend) {
    let [ana, luis, eva] = b.people(["ana", "luis", "eva"]).await;
    let chat = b.group(ana, &[luis, eva]).await;
    let [message, other] = [b.send(chat, luis, "one", at(1)).await, b.send(chat, luis, "two", at(2)).await];
    let first = report(&b, ana, &message, "bad", 3).await;
    b.messages.edit(chat, message.id, &body("edited"), at(4)).await.unwrap();
    assert_eq!(report(&b, ana, &message, "very bad", 5).await, first);
    assert_eq!(b.audit().await.len(), 1, "what changes nothing is not logged");
    let by_other = report(&b, eva, &message, "bad", 6).await;
    let of_other = report(&b, ana, &other, "bad", 7).await;
    assert_eq!(ids(&b, ReportFilter::All).await.len(), 3);
    assert!(by_other.id != first.id && of_other.id != first.id);
    resolve(&b, first.id, eva, "nothing to see", 8).await.unwrap();
    let again = report(&b, ana, &message, "still bad", 9).await;
    assert!(again.id != first.id && again.resolution.is_none());
    assert_eq!((again.reason, again.body.as_deref()), (reason("still bad"), Some("edited")));
    assert_eq!(ids(&b, ReportFilter::All).await.len(), 4);
}

pub async fn a_message_reported_many_times_at_once_is_reported_once(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    let message = b.send(chat, luis, "bad", at(1)).await;
    let texts: Vec<_> = (0..8).map(|n| format!("bad {n}")).collect();
    let reports = join_all(texts.iter().map(|text| report(&b, ana, &message, text, 2))).await;
    assert!(reports.iter().all(|report| *report == reports[0]));
    assert_eq!(ids(&b, ReportFilter::All).await, [reports[0].id]);
    assert_eq!(b.audit().await.len(), 1);
}

pub async fn a_report_is_resolved_once(b: Backend) {
    let [ana, luis, eva, leo] = b.people(["ana", "luis", "eva", "leo"]).await;
    let chat = b.group(ana, &[luis]).await;
    let message = b.send(chat, luis, "bad", at(1)).await;
    let open = report(&b, ana, &message, "bad", 2).await;
    assert_eq!(resolve(&b, report_id(), eva, "x", 3).await, None);
    let resolution = Resolution { by: eva.id, at: at(4), note: reason("warned") };
    let resolved = Report { resolution: Some(resolution), ..open.clone() };
    assert_eq!(resolve(&b, open.id, eva, "warned", 4).await, Some(resolved.clone()));
    assert_eq!(resolve(&b, open.id, leo, "something else", 5).await, Some(resolved.clone()));
    assert_eq!(page(&b, ReportFilter::All, None, 5).await.items, [resolved]);
    assert_eq!(b.audit().await.len(), 2, "a report, and one resolution");
}

pub async fn reports_are_listed_by_what_became_of_them(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let chat = b.group(ana, &[luis]).await;
    assert_eq!(page(&b, ReportFilter::Open, None, 5).await, Page { items: vec![], next: None });
    let mut all = Vec::new();
    for message in b.send_many(chat, luis, 6).await {
        all.push(report(&b, ana, &message, "bad", 10).await.id);
    }
    // Their ids ascend with time elsewhere; here they are in no order.
    all.sort_unstable();
    all.reverse();
    assert_eq!(ids(&b, ReportFilter::All).await, all);
    for index in [0, 3, 4] {
        resolve(&b, all[index], luis, "done", 20).await.unwrap();
    }
    assert_eq!(ids(&b, ReportFilter::All).await, all);
    assert_eq!(ids(&b, ReportFilter::Resolved).await, [all[0], all[3], all[4]]);
    assert_eq!(ids(&b, ReportFilter::Open).await, [all[1], all[2], all[5]]);
    for (filter, size, pages) in [
        (ReportFilter::All, 2, 3),
        (ReportFilter::All, 4, 2),
        (ReportFilter::Open, 1, 3),
        (ReportFilter::Open, 2, 2),
        (ReportFilter::Resolved, 3, 1),
    ] {
        let walked = walk(async |after| page(&b, filter, after, size).await).await;
        assert_eq!(walked.len(), pages, "pages of {size}");
        let walked: Vec<_> = walked.concat().into_iter().map(|report| report.id).collect();
        assert_eq!(walked, ids(&b, filter).await);
    }
    // A cursor names a report of any kind.
    let after = page(&b, ReportFilter::Open, Some(ReportCursor(all[3])), 5).await;
    assert_eq!(after.items.iter().map(|report| report.id).collect::<Vec<_>>(), [all[5]]);
}

pub async fn a_suspended_user_is_out(b: Backend) {
    let ana = b.person("ana").await;
    let admin = b.service_admin("admin").await;
    let chat = b.group(ana, &[admin]).await;
    let session = new_session(ana.id, at(0), at(LIFE));
    let (session_id, presented) = (session.session.id, session.refresh);
    assert!(b.sessions.insert(session, 10).await.unwrap());
    assert!(b.api_keys.insert(new_key(ana, at(0)), [1; 32], 10).await.unwrap());
    assert!(suspend(&b, ana.id, admin, 5).await);
    assert_eq!(b.find_user(ana.id).await.suspended_at, Some(at(5)));
    let credentials = b.users.find_credentials(&LoginName::parse("ana").unwrap()).await.unwrap().unwrap();
    assert_eq!((credentials.user.suspended_at, credentials.password), (Some(at(5)), password("ana")));
    assert_eq!(b.sessions.list(ana.id, at(6)).await.unwrap(), []);
    assert_eq!(b.sessions.find_caller(ana.session, at(6)).await.unwrap(), None);
    assert_eq!(b.api_keys.find([1; 32], at(6)).await.unwrap(), None);
    assert_eq!(b.api_keys.list(ana.id).await.unwrap(), []);
    assert_matches!(b.messages.append(ana.message(chat, "x", at(6))).await, Err(AppendError::SessionEnded));
    let rotation = RotateRefresh { session_id, presented, next_secret: [2; 32], at: at(6), expires_at: at(LIFE) };
    assert_eq!(b.sessions.rotate(rotation).await.unwrap(), Rotation::Unknown);
    assert!(!b.sessions.insert(new_session(ana.id, at(7), at(LIFE)), 10).await.unwrap());
    assert_eq!(b.sessions.list(ana.id, at(8)).await.unwrap(), []);
    assert!(!b.api_keys.insert(new_key(ana, at(7)), [2; 32], 10).await.unwrap());
    assert_eq!(b.api_keys.find([2; 32], at(8)).await.unwrap(), None);
    // Everybody else, and what the user said, stay.
    assert!(b.sessions.find_caller(admin.session, at(6)).await.unwrap().is_some());
    assert_eq!(b.view(chat, admin).await.chat.member_count, 2);
}

pub async fn a_suspension_is_lifted(b: Backend) {
    let ana = b.person("ana").await;
    let admin = b.service_admin("admin").await;
    assert!(suspend(&b, ana.id, admin, 5).await);
    assert!(b.moderation.unsuspend(ana.id, admin.id, at(6)).await.unwrap());
    assert_eq!(b.find_user(ana.id).await.suspended_at, None);
    assert!(b.sessions.find_caller(ana.session, at(7)).await.unwrap().is_none(), "what ended has ended");
    assert!(b.sessions.insert(new_session(ana.id, at(7), at(LIFE)), 10).await.unwrap());
    assert!(suspend(&b, ana.id, admin, 8).await);
    assert_eq!(b.find_user(ana.id).await.suspended_at, Some(at(8)));
}

pub async fn nobody_is_suspended_twice(b: Backend) {
    let [ana, gone] = b.people(["ana", "gone"]).await;
    let admin = b.service_admin("admin").await;
    b.users.delete(gone.id, false, at(1)).await.unwrap();
    for nobody in [gone.id, user_id()] {
        assert!(!suspend(&b, nobody, admin, 2).await);
        assert!(!b.moderation.unsuspend(nobody, admin.id, at(2)).await.unwrap());
    }
    assert!(b.moderation.unsuspend(ana.id, admin.id, at(3)).await.unwrap());
    assert_eq!(b.audit().await, [], "nothing has changed");
    assert!(suspend(&b, ana.id, admin, 4).await);
    assert!(suspend(&b, ana.id, admin, 5).await);
    assert_eq!(b.find_user(ana.id).await.suspended_at, Some(at(4)));
    assert_eq!(b.audit().await.len(), 1);
}

pub async fn a_session_begun_while_its_user_is_suspended_does_not_live(b: Backend) {
    let admin = b.service_admin("admin").await;
    for round in 0..5 {
        let user = b.user(&format!("ana{round}")).await;
        let sessions = join_all((0..8).map(|_| b.sessions.insert(new_session(user.id, at(0), at(LIFE)), 100)));
        let (suspended, begun) = join(suspend(&b, user.id, admin, 1), sessions).await;
        assert!(suspended && begun.iter().all(Result::is_ok), "{begun:?}");
        assert_eq!(b.sessions.list(user.id, at(2)).await.unwrap(), []);
    }
}

pub async fn a_removed_message_is_a_deleted_one(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let admin = b.service_admin("admin").await;
    let [chat, other] = [b.group(ana, &[luis]).await, b.group(ana, &[luis]).await];
    let file = b.file(luis, 1).await;
    let object = b.object_of(file).await;
    let message = b.attach(chat, luis, &[file], at(1)).await.unwrap();
    assert!(!remove(&b, other, message.id, admin, None, 2).await);
    assert!(!remove(&b, chat, message_id(), admin, None, 2).await);
    assert!(!remove(&b, chat_id(), message.id, admin, None, 2).await);
    assert_eq!((b.whole_history(chat, ana).await, b.audit().await), (vec![message.clone()], vec![]));
    assert!(remove(&b, chat, message.id, admin, Some(reason("illegal")), 3).await);
    let left = b.whole_history(chat, ana).await;
    assert_eq!(left, [Message { content: MessageContent::Deleted { at: at(3) }, ..message.clone() }]);
    assert!(!b.is_stored(file).await);
    assert_eq!(b.due(at(3)).await, [object].into());
    // Once more is no act: its first time stays, and nothing is logged.
    assert!(remove(&b, chat, message.id, admin, None, 4).await);
    assert_eq!(b.whole_history(chat, ana).await, left);
    assert_eq!(b.audit().await.len(), 1);
}

pub async fn every_act_is_logged_as_it_was(b: Backend) {
    let [ana, luis] = b.people(["ana", "luis"]).await;
    let admin = b.service_admin("admin").await;
    let chat = b.group(ana, &[luis]).await;
    let [message, other] = [b.send(chat, luis, "bad", at(1)).await, b.send(chat, luis, "worse", at(1)).await];
    b.moderation.block(ana.id, luis.id, 10, at(2)).await.unwrap();
    let reported = report(&b, ana, &message, "two\nlines", 3).await;
    assert!(remove(&b, chat, message.id, admin, Some(reason("illegal")), 4).await);
    assert!(remove(&b, chat, other.id, admin, None, 5).await);
    assert!(suspend(&b, luis.id, admin, 6).await);
    resolve(&b, reported.id, admin, "suspended", 7).await.unwrap();
    assert!(b.moderation.unsuspend(luis.id, admin.id, at(8)).await.unwrap());
    assert!(b.moderation.unblock(ana.id, luis.id, at(9)).await.unwrap());
    let log = b.audit().await;
    let numbers: Vec<_> = log.iter().map(|entry| entry.number).collect();
    assert!(numbers.is_sorted_by(|newer, older| newer > older), "{numbers:?}");
    let entry = |actor: Person, action, millis: i64, about: Option<&Message>, why: Option<&str>| AuditEntry {
        number: 0,
        at: at(millis),
        actor_id: actor.id,
        action,
        user_id: luis.id,
        message_id: about.map(|message| message.id),
        reason: why.map(reason),
    };
    let mut expected = vec![
        entry(ana, AuditAction::Block, 2, None, None),
        entry(ana, AuditAction::Report, 3, Some(&message), Some("two\nlines")),
        entry(admin, AuditAction::RemoveMessage, 4, Some(&message), Some("illegal")),
        entry(admin, AuditAction::RemoveMessage, 5, Some(&other), None),
        entry(admin, AuditAction::Suspend, 6, None, Some("spam")),
        entry(admin, AuditAction::ResolveReport, 7, Some(&message), Some("suspended")),
        entry(admin, AuditAction::Unsuspend, 8, None, None),
        entry(ana, AuditAction::Unblock, 9, None, None),
    ];
    expected.reverse();
    let log: Vec<_> = log.into_iter().map(|entry| AuditEntry { number: 0, ..entry }).collect();
    assert_eq!(log, expected);
    // It outlives whom it speaks of.
    b.chats.delete(chat, at(9)).await.unwrap();
    b.users.delete(luis.id, true, at(10)).await.unwrap();
    b.users.delete(ana.id, true, at(10)).await.unwrap();
    assert_eq!(b.audit().await.len(), 8);
}

pub async fn the_log_is_read_in_pages(b: Backend) {
    let ana = b.person("ana").await;
    let crowd = b.crowd(7).await;
    for (n, person) in crowd.iter().enumerate() {
        // Times do not ascend; numbers do.
        b.moderation.block(ana.id, person.id, 100, at(100 - i64::try_from(n).unwrap())).await.unwrap();
    }
    let whole = b.audit().await;
    let users: Vec<_> = whole.iter().map(|entry| entry.user_id).collect();
    assert_eq!(users, crowd.iter().rev().map(|person| person.id).collect::<Vec<_>>());
    for (size, pages) in [(1, 7), (2, 4), (3, 3), (6, 2), (7, 1), (8, 1)] {
        let list = async |after| b.moderation.list_audit(after, limit(size)).await.unwrap();
        let walked = walk(list).await;
        assert_eq!(walked.len(), pages, "pages of {size}");
        assert_eq!(walked.concat(), whole, "pages of {size}");
    }
    let past = b.moderation.list_audit(Some(AuditCursor(whole[6].number)), limit(5)).await.unwrap();
    assert_eq!(past, Page { items: vec![], next: None });
}

pub async fn times_keep_their_milliseconds(b: Backend) {
    let ana = b.person("ana").await;
    let admin = b.service_admin("admin").await;
    for millis in [1, 999, 1_750_000_000_001] {
        let time = Timestamp::from_millis(millis);
        assert!(b.moderation.suspend(ana.id, admin.id, &reason("spam"), time).await.unwrap());
        assert_eq!(b.find_user(ana.id).await.suspended_at, Some(time));
        assert_eq!(b.audit().await[0].at, time);
        assert!(b.moderation.unsuspend(ana.id, admin.id, time).await.unwrap());
    }
}
