use crate::HttpState;
use crate::problem::Problem;
use std::collections::HashSet;
use std::sync::Arc;
use tertulia_application::realtime::Presence;
use tertulia_domain::{self as domain, Caller, Role, Timestamp, UserId};

/// What somebody sees of whether others are there: nothing of those with whom there is a block or who share no chat with
/// them.
pub(crate) struct Sight {
    presence: Arc<Presence>,
    viewer: UserId,
    hidden: HashSet<UserId>,
    /// Who is seen; `None`: everybody else.
    known: Option<HashSet<UserId>>,
}

impl Sight {
    /// Somebody's sight of those in their chats. Asks the database only about somebody with blocks.
    pub(crate) async fn of(state: &HttpState, caller: Caller) -> Result<Self, Problem> {
        Ok(Self {
            hidden: state.services.moderation.hidden_from(caller).await?,
            ..Self::unblocked(state, caller.user_id)
        })
    }

    /// Somebody's sight of those users. Asks the database who shares a chat with them.
    pub(crate) async fn over(
        state: &HttpState,
        caller: Caller,
        users: impl IntoIterator<Item = &domain::User>,
    ) -> Result<Self, Problem> {
        let others = users.into_iter().map(|user| user.id);
        let others: Vec<UserId> = others.filter(|id| *id != caller.user_id).collect();
        let known = if others.is_empty() {
            HashSet::new()
        } else {
            state.services.hub.acquaintances(caller.user_id, others).await?
        };
        Ok(Self {
            known: Some(known),
            ..Self::unblocked(state, caller.user_id)
        })
    }

    /// Somebody's sight of the members of a chat that they may look at, perhaps from outside.
    pub(crate) async fn of_members(
        state: &HttpState,
        caller: Caller,
        members: &[domain::Member],
    ) -> Result<Self, Problem> {
        match caller.role {
            Role::Admin => Self::over(state, caller, members.iter().map(|member| &member.user)).await,
            Role::User => Self::of(state, caller).await,
        }
    }

    /// Their sight of themselves, and of those about whom is told elsewhere whether there is a block.
    pub(crate) fn unblocked(state: &HttpState, viewer: UserId) -> Self {
        Self {
            presence: Arc::clone(&state.services.presence),
            viewer,
            hidden: HashSet::new(),
            known: None,
        }
    }

    /// Whether the user is online, and when they last were.
    pub(crate) fn look(&self, user: &domain::User) -> (bool, Option<Timestamp>) {
        let is_seen = self.known.as_ref().is_none_or(|known| known.contains(&user.id));
        if user.id == self.viewer || (is_seen && !self.hidden.contains(&user.id)) {
            (self.presence.is_online(user), self.presence.last_seen(user))
        } else {
            (false, None)
        }
    }

    /// Whether that is somebody else.
    pub(super) fn is_other(&self, user: &domain::User) -> bool {
        user.id != self.viewer
    }
}
