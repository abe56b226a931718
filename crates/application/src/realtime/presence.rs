use crate::Failure;
use crate::ports::Clock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tertulia_domain::repository::{Activity, SessionRepository};
use tertulia_domain::{ClaimedSession, SessionId, Timestamp, User, UserId};

/// How long after their last request a user counts as online.
const ONLINE_FOR: Duration = Duration::from_mins(1);

/// Who was active when: kept in memory as requests come in, and written to the database in batches by
/// [`Presence::flush`], so that no request writes for it.
pub struct Presence {
    sessions: Arc<dyn SessionRepository>,
    clock: Arc<dyn Clock>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// The last activity of each user that was here in the last [`ONLINE_FOR`].
    users: HashMap<UserId, Timestamp>,
    /// What the database does not know yet.
    unwritten: HashMap<SessionId, Activity>,
}

impl Presence {
    pub(crate) fn new(sessions: Arc<dyn SessionRepository>, clock: Arc<dyn Clock>) -> Self {
        Self {
            sessions,
            clock,
            seen: Mutex::default(),
        }
    }

    /// Notes that somebody made a request.
    pub fn note(&self, session: ClaimedSession) {
        let at = self.clock.now();
        let mut seen = self.seen();
        seen.users.insert(session.user_id, at);
        seen.unwritten.insert(session.session_id, Activity { session, at });
    }

    /// The user's last activity that is known here or was stored.
    pub fn last_seen(&self, user: &User) -> Option<Timestamp> {
        if user.deleted_at.is_some() {
            return None;
        }
        let here = self.seen().users.get(&user.id).copied();
        here.max(user.last_seen_at)
    }

    /// Whether the user made a request in the last 60 seconds.
    pub fn is_online(&self, user: &User) -> bool {
        let now = self.clock.now();
        self.last_seen(user).is_some_and(|at| now.since(at) < ONLINE_FOR)
    }

    /// Writes what has been noted since the last time. What could not be written is kept for the next.
    pub async fn flush(&self) -> Result<(), Failure> {
        let batch: Vec<Activity> = {
            let mut seen = self.seen();
            let forget = self.clock.now().minus(ONLINE_FOR);
            seen.users.retain(|_, at| *at >= forget);
            seen.unwritten.drain().map(|(_, activity)| activity).collect()
        };
        if batch.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.sessions.record_activity(batch.clone()).await {
            let mut seen = self.seen();
            for activity in batch {
                seen.unwritten.entry(activity.session.session_id).or_insert(activity);
            }
            return Err(error.into());
        }
        Ok(())
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Two maps of plain values: a panic elsewhere can't have left them half-written.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
