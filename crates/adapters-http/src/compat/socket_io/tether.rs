use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// What holds a session and the requests that carry it together: they know by it that the peer is there, and either can
/// cut it.
pub(super) struct Tether {
    cut: watch::Sender<bool>,
    heard: Mutex<Instant>,
}

impl Tether {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            cut: watch::Sender::new(false),
            heard: Mutex::new(Instant::now()),
        })
    }

    /// Ends the session and everything that carries it.
    pub(super) fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Waits until it is cut.
    pub(super) async fn is_cut(&self) {
        // It fails when nobody can cut it any more: but we can.
        let _ = self.cut.subscribe().wait_for(|cut| *cut).await;
    }

    /// Notes that something came from the peer.
    pub(super) fn hear(&self) {
        *lock(&self.heard) = Instant::now();
    }

    /// For how long nothing came.
    pub(super) fn silence(&self) -> Duration {
        lock(&self.heard).elapsed()
    }
}

/// The tethers of the sessions that began by polling, by the ids of the sessions.
#[derive(Default)]
pub(super) struct Tethers(Mutex<Held>);

#[derive(Default)]
struct Held {
    tethers: HashMap<String, Weak<Tether>>,
    /// When there are so many, those of sessions that are no more are let go.
    sweep_at: usize,
}

/// Fewer are never looked through.
const SWEEP_MIN: usize = 64;

impl Tethers {
    pub(super) fn hold(&self, session: String, tether: &Arc<Tether>) {
        let mut held = lock(&self.0);
        held.tethers.insert(session, Arc::downgrade(tether));
        if held.tethers.len() >= held.sweep_at {
            held.tethers.retain(|_, tether| tether.strong_count() > 0);
            held.sweep_at = (held.tethers.len() * 2).max(SWEEP_MIN);
        }
    }

    pub(super) fn find(&self, session: &str) -> Option<Arc<Tether>> {
        lock(&self.0).tethers.get(session)?.upgrade()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn cutting_it_ends_every_wait() {
        let tether = Tether::new();
        let (one, other) = (Arc::clone(&tether), Arc::clone(&tether));
        let waiting = tokio::spawn(async move { one.is_cut().await });
        other.cut();
        waiting.await.unwrap();
        tether.is_cut().await;
    }

    #[test]
    fn those_of_sessions_that_are_no_more_are_let_go() {
        let tethers = Tethers::default();
        let kept = Tether::new();
        tethers.hold("kept".to_owned(), &kept);
        for number in 0..1_000 {
            tethers.hold(number.to_string(), &Tether::new());
        }
        assert!(tethers.find("kept").is_some() && tethers.find("1").is_none());
        assert!(lock(&tethers.0).tethers.len() <= 2 * SWEEP_MIN);
    }
}
