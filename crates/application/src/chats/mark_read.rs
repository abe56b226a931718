use super::{AccessError, ChatService};
use crate::Failure;
use tertulia_domain::repository::ReadState;
use tertulia_domain::{Caller, ChatId, Seq};

impl ChatService {
    /// Moves the caller's read position forward, never back and never past the newest message. Only a member has one.
    pub async fn mark_read(&self, caller: Caller, id: ChatId, seq: Seq) -> Result<ReadState, AccessError> {
        let state = self
            .chats
            .mark_read(id, caller.user_id, seq, self.clock.now())
            .await
            .map_err(Failure::from)?;
        let state = state.ok_or(AccessError::ChatNotFound)?;
        if state.moved {
            self.hub.changed(id, Vec::new());
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, CALLER, CHAT, NOW, SERVICE_ADMIN, World, assert_matches, passes_on, repository_errors, seq,
    };
    use mockall::predicate::eq;

    fn marking(outcome: Option<ReadState>) -> World {
        let mut world = World::default();
        let asked = world.chats.expect_mark_read();
        asked.with(eq(CHAT), eq(ANA), eq(seq(7)), eq(NOW)).once();
        asked.return_once(move |_, _, _, _| Ok(outcome));
        world
    }

    #[tokio::test]
    async fn moves_the_callers_position() {
        let state = ReadState {
            read_seq: seq(7),
            last_seq: seq(9),
            moved: true,
        };
        let services = marking(Some(state)).services();
        assert_eq!(services.chats.mark_read(CALLER, CHAT, seq(7)).await.unwrap(), state);
    }

    #[tokio::test]
    async fn who_is_not_in_the_chat_has_none() {
        for caller in [CALLER, SERVICE_ADMIN] {
            let marked = marking(None).services().chats.mark_read(caller, CHAT, seq(7)).await;
            assert_matches!(marked, Err(AccessError::ChatNotFound));
        }
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let mut world = World::default();
            world.chats.expect_mark_read().return_once(|_, _, _, _| Err(cause));
            world.services().chats.mark_read(CALLER, CHAT, seq(7)).await
        })
        .await;
    }
}
