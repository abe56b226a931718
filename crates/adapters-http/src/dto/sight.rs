use crate::HttpState;
use crate::problem::Problem;
use std::collections::HashSet;
use std::sync::Arc;
use tertulia_application::realtime::Presence;
use tertulia_domain::{self as domain, Caller, Timestamp, UserId};

/// What somebody sees of whether others are there: nothing of those with whom there is a block.
pub(crate) struct Sight {
    presence: Arc<Presence>,
    viewer: UserId,
    hidden: HashSet<UserId>,
}

impl Sight {
    /// Somebody's sight of everybody. Asks the database only about somebody with blocks.
    pub(crate) async fn of(state: &HttpState, caller: Caller) -> Result<Self, Problem> {
        Ok(Self {
            hidden: state.services.moderation.hidden_from(caller).await?,
            ..Self::unblocked(state, caller.user_id)
        })
    }

    /// Their sight of themselves, and of those about whom is told elsewhere whether there is a block.
    pub(crate) fn unblocked(state: &HttpState, viewer: UserId) -> Self {
        Self {
            presence: Arc::clone(&state.services.presence),
            viewer,
            hidden: HashSet::new(),
        }
    }

    /// Whether the user is online, and when they last were.
    pub(crate) fn look(&self, user: &domain::User) -> (bool, Option<Timestamp>) {
        if self.hidden.contains(&user.id) {
            (false, None)
        } else {
            (self.presence.is_online(user), self.presence.last_seen(user))
        }
    }

    /// Whether that is somebody else.
    pub(super) fn is_other(&self, user: &domain::User) -> bool {
        user.id != self.viewer
    }
}
