//! The use cases tell what they did once it is done, and only then.

use crate::chats::RemoveMember;
use crate::messaging::{EditMessage, SendMessage};
use crate::ports::{MockEventBus, Signal};
use crate::testing::{
    ANA, BEN, CALLER, CHAT, CLAIMED, LAPTOP, MESSAGE, SERVICE_ADMIN, World, body, group, in_group, message, reason, seq,
};
use std::sync::{Arc, Mutex};
use tertulia_domain::repository::{Appended, ReadState, Removal, RepositoryError};
use tertulia_domain::{EventSeq, MemberRole, MessageDraft, SessionId, UserId};

/// A world that notes what is told.
fn world() -> (World, Arc<Mutex<Vec<Signal>>>) {
    let told = Arc::<Mutex<Vec<Signal>>>::default();
    let mut bus = MockEventBus::new();
    let notes = Arc::clone(&told);
    bus.expect_publish()
        .returning(move |signal| notes.lock().unwrap().push(signal));
    let world = World {
        bus,
        ..World::default()
    };
    (world, told)
}

fn changed(users: &[UserId]) -> Signal {
    Signal::Changed {
        chat_id: CHAT,
        users: users.to_vec(),
    }
}

fn ended(user_id: UserId, session_id: Option<SessionId>) -> Signal {
    Signal::SessionsEnded { user_id, session_id }
}

/// How the repository answers.
const OUTCOMES: [Option<bool>; 3] = [Some(true), Some(false), None];

fn outcome(outcome: Option<bool>) -> Result<bool, RepositoryError> {
    outcome.ok_or(RepositoryError::Overloaded)
}

fn expected(outcome: Option<bool>, signal: Signal) -> Vec<Signal> {
    if outcome == Some(true) { vec![signal] } else { vec![] }
}

#[tokio::test]
async fn of_chats() {
    for done in OUTCOMES {
        let (mut world, told) = world();
        world.shows(group(MemberRole::Owner));
        world.chats.expect_delete().return_once(move |_, _| outcome(done));
        assert_eq!(
            world.services().chats.delete(CALLER, CHAT).await.is_ok(),
            done == Some(true)
        );
        assert_eq!(*told.lock().unwrap(), expected(done, changed(&[])));
    }
}

#[tokio::test]
async fn of_members() {
    for done in OUTCOMES {
        let (mut world, told) = world();
        world.shows(group(MemberRole::Member));
        world.chats.expect_remove_member().return_once(move |_, _, _, _| {
            Ok(Some(if outcome(done)? {
                Removal::Removed { new_owner: None }
            } else {
                Removal::NotAMember
            }))
        });
        let command = RemoveMember {
            chat_id: CHAT,
            user_id: ANA,
        };
        let _ = world.services().chats.remove_member(CALLER, command).await;
        assert_eq!(*told.lock().unwrap(), expected(done, changed(&[])));
    }
}

#[tokio::test]
async fn of_reading() {
    for done in OUTCOMES {
        let (mut world, told) = world();
        world.chats.expect_mark_read().return_once(move |_, _, _, _| {
            let moved = outcome(done)?;
            Ok(Some(ReadState {
                read_seq: seq(4),
                last_seq: seq(9),
                moved,
            }))
        });
        let _ = world.services().chats.mark_read(CALLER, CHAT, seq(4)).await;
        assert_eq!(*told.lock().unwrap(), expected(done, changed(&[])));
    }
}

#[tokio::test]
async fn of_messages() {
    for done in OUTCOMES {
        let (mut world, told) = world();
        world.shows_message(in_group(message(ANA), MemberRole::Member));
        world
            .messages
            .expect_edit()
            .return_once(move |_, _, _, _| Ok(outcome(done)?.then(|| message(ANA))));
        let command = EditMessage {
            chat_id: CHAT,
            message_id: MESSAGE,
            body: body("new"),
        };
        let _ = world.services().messaging.edit(CALLER, command).await;
        assert_eq!(*told.lock().unwrap(), expected(done, changed(&[])));
    }
}

#[tokio::test]
async fn of_what_is_sent_but_not_again() {
    for done in OUTCOMES {
        let (mut world, told) = world();
        world.messages.expect_append().return_once(move |_| {
            Ok(Appended {
                message: message(ANA),
                event: EventSeq::ZERO.next(),
                replayed: !outcome(done)?,
            })
        });
        let command = SendMessage {
            chat_id: CHAT,
            request: None,
            draft: MessageDraft::text(body("hello")),
            reply_to: None,
            addressee: None,
        };
        let _ = world.services().messaging.send(CLAIMED, command).await;
        assert_eq!(*told.lock().unwrap(), expected(done, changed(&[])));
    }
}

#[tokio::test]
async fn of_sessions() {
    for done in OUTCOMES {
        let (mut world, told) = world();
        world.sessions.expect_end().return_once(move |_, _| outcome(done));
        let _ = world.services().accounts.end_session(CALLER, LAPTOP).await;
        assert_eq!(*told.lock().unwrap(), expected(done, ended(ANA, Some(LAPTOP))));

        let (mut world, told) = self::world();
        world.api_keys.expect_revoke().return_once(move |_, _| outcome(done));
        let _ = world.services().accounts.revoke_api_key(CALLER, LAPTOP).await;
        assert_eq!(*told.lock().unwrap(), expected(done, ended(ANA, Some(LAPTOP))));
    }
}

#[tokio::test]
async fn of_the_suspended() {
    for done in OUTCOMES {
        let (mut world, told) = world();
        world
            .moderation
            .expect_suspend()
            .return_once(move |_, _, _, _| outcome(done));
        let _ = world
            .services()
            .moderation
            .suspend(SERVICE_ADMIN, BEN, reason("spam"))
            .await;
        assert_eq!(*told.lock().unwrap(), expected(done, ended(BEN, None)));
    }
}
