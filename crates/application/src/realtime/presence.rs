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

    /// Notes that somebody made a request, once their session was found alive.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        ANA, BEN, CLAIMED, LAPTOP, ManualClock, NOW, assert_matches, passes_on, repository_errors, user,
    };
    use std::sync::Weak;
    use tertulia_domain::repository::{MockSessionRepository, RepositoryError};

    const BENS: ClaimedSession = ClaimedSession {
        session_id: SessionId::from_uuid(uuid::Uuid::from_u128(13)),
        user_id: BEN,
    };

    fn after(millis: u64) -> Timestamp {
        NOW.plus(Duration::from_millis(millis))
    }

    fn seen_at(at: Timestamp) -> User {
        User {
            last_seen_at: Some(at),
            ..user(ANA)
        }
    }

    /// Presence over a database that gets these batches, in this order, and answers each so.
    fn writing(batches: Vec<(Vec<Activity>, Result<(), RepositoryError>)>) -> (Presence, ManualClock) {
        let mut sessions = MockSessionRepository::new();
        for (expected, outcome) in batches {
            let asked = sessions.expect_record_activity().once();
            asked.return_once(move |mut batch| {
                batch.sort_by_key(|activity| activity.session.session_id);
                assert_eq!(batch, expected);
                outcome
            });
        }
        let clock = ManualClock::default();
        (Presence::new(Arc::new(sessions), Arc::new(clock.clone())), clock)
    }

    fn activity(session: ClaimedSession, at: Timestamp) -> Activity {
        Activity { session, at }
    }

    #[test]
    fn is_online_for_less_than_sixty_seconds() {
        let (presence, clock) = writing(vec![]);
        presence.note(CLAIMED);
        for (millis, online) in [(0, true), (59_999, true), (60_000, false), (3_600_000, false)] {
            clock.set(after(millis));
            assert_eq!(presence.is_online(&user(ANA)), online, "noted, {millis} ms ago");
            let stored = User {
                id: BEN,
                ..seen_at(NOW)
            };
            assert_eq!(presence.is_online(&stored), online, "stored, {millis} ms ago");
        }
        clock.set(NOW);
        assert!(!presence.is_online(&user(BEN)), "never seen");
    }

    #[test]
    fn was_seen_when_it_was_noted_or_stored_last() {
        let (presence, clock) = writing(vec![]);
        assert_eq!(presence.last_seen(&user(ANA)), None);
        clock.set(after(5));
        presence.note(CLAIMED);
        for (stored, seen) in [(user(ANA), 5), (seen_at(after(4)), 5), (seen_at(after(6)), 6)] {
            assert_eq!(presence.last_seen(&stored), Some(after(seen)));
        }
    }

    #[test]
    fn the_deleted_are_never_online() {
        let (presence, _clock) = writing(vec![]);
        presence.note(CLAIMED);
        let deleted = User {
            deleted_at: Some(NOW),
            ..seen_at(NOW)
        };
        assert!(!presence.is_online(&deleted));
        assert_eq!(presence.last_seen(&deleted), None);
    }

    #[tokio::test]
    async fn writes_the_last_use_of_each_session_once() {
        let laptop = ClaimedSession {
            session_id: LAPTOP,
            user_id: ANA,
        };
        let (presence, clock) = writing(vec![
            (vec![activity(CLAIMED, after(2)), activity(laptop, after(1))], Ok(())),
            (vec![activity(CLAIMED, after(3))], Ok(())),
        ]);
        for (millis, session) in [(0, CLAIMED), (1, laptop), (2, CLAIMED)] {
            clock.set(after(millis));
            presence.note(session);
        }
        presence.flush().await.unwrap();
        presence.flush().await.unwrap();
        clock.set(after(3));
        presence.note(CLAIMED);
        presence.flush().await.unwrap();
    }

    #[tokio::test]
    async fn keeps_what_could_not_be_written() {
        let (presence, clock) = writing(vec![
            (vec![activity(CLAIMED, NOW)], Err(RepositoryError::Overloaded)),
            (vec![activity(CLAIMED, NOW), activity(BENS, after(1))], Ok(())),
        ]);
        presence.note(CLAIMED);
        assert_matches!(presence.flush().await, Err(Failure::Overloaded));
        clock.set(after(1));
        presence.note(BENS);
        presence.flush().await.unwrap();
        presence.flush().await.unwrap();
    }

    /// Somebody makes a request while their last one fails to be written.
    #[tokio::test]
    async fn a_newer_note_is_kept_over_what_could_not_be_written() {
        let clock = ManualClock::default();
        let presence = Arc::new_cyclic(|presence: &Weak<Presence>| {
            let mut sessions = MockSessionRepository::new();
            let (presence, later) = (presence.clone(), clock.clone());
            sessions.expect_record_activity().once().return_once(move |_| {
                later.set(after(1));
                presence.upgrade().unwrap().note(CLAIMED);
                Err(RepositoryError::Overloaded)
            });
            sessions.expect_record_activity().once().return_once(|batch| {
                assert_eq!(batch, [activity(CLAIMED, after(1))]);
                Ok(())
            });
            Presence::new(Arc::new(sessions), Arc::new(clock.clone()))
        });
        presence.note(CLAIMED);
        assert!(presence.flush().await.is_err());
        presence.flush().await.unwrap();
    }

    #[tokio::test]
    async fn forgets_who_is_long_gone() {
        let (presence, clock) = writing(vec![(
            vec![activity(CLAIMED, NOW), activity(BENS, after(30_000))],
            Ok(()),
        )]);
        presence.note(CLAIMED);
        clock.set(after(30_000));
        presence.note(BENS);
        clock.set(after(60_001));
        presence.flush().await.unwrap();
        assert_eq!(presence.last_seen(&user(ANA)), None);
        assert_eq!(presence.last_seen(&user(BEN)), Some(after(30_000)));
    }

    #[tokio::test]
    async fn passes_failures_on() {
        passes_on(repository_errors, async |cause| {
            let (presence, _clock) = writing(vec![(vec![activity(CLAIMED, NOW)], Err(cause))]);
            presence.note(CLAIMED);
            presence.flush().await
        })
        .await;
    }
}
