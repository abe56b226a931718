//! What goes on between requests.

use crate::errors::chain;
use metrics::{describe_gauge, gauge};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::time::Duration;
use tertulia_adapters_system::OsSecretGenerator;
use tertulia_application::ports::SecretGenerator;
use tertulia_application::realtime::{Hub, Presence};
use tertulia_application::{Failure, Services};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// How far behind the stored times of last use may be.
const FLUSH_EVERY: Duration = Duration::from_secs(5);

/// How often what has expired is removed.
const PURGE_EVERY: Duration = Duration::from_mins(10);

/// How often samples of histograms are taken in; the exporter's own interval.
const METRICS_EVERY: Duration = Duration::from_secs(5);

/// How often the hub looks for events that nobody told it of.
const LOOK_AROUND_EVERY: Duration = Duration::from_secs(2);

/// How often it looks whether the sessions of its connections live.
const SESSIONS_EVERY: Duration = Duration::from_secs(10);

/// How often it says who is connected here: a third of the time that this is believed.
const LEASES_EVERY: Duration = Duration::from_secs(15);

/// How long an event may be ahead of its predecessor before that is read.
const GAP: Duration = Duration::from_millis(10);

/// Events that are read at the same time.
const READERS: usize = 3;

/// How many connections there are to this process.
const CONNECTIONS: &str = "tertulia_realtime_connections";

/// How long a worker that found nothing to do waits before it looks again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a worker waits at the most that fails again and again.
const LONGEST_BACK_OFF: Duration = Duration::from_mins(1);

/// For how many seconds the oldest unsent mail has waited; 0 when there is none.
const OUTBOX_AGE: &str = "tertulia_outbox_oldest_age_seconds";

/// The tasks. Those that can be cut off anywhere end when this is dropped.
pub(crate) struct Background {
    stop: watch::Sender<bool>,
    mail: JoinHandle<()>,
    /// The others.
    _tasks: JoinSet<()>,
}

/// Starts the tasks.
pub(crate) fn start(services: &Services, metrics: PrometheusHandle, tidy_every: Duration) -> Background {
    describe_gauge!(
        OUTBOX_AGE,
        "For how many seconds the oldest unsent mail has waited; 0 when there is none."
    );
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(keep_presence(Arc::clone(&services.presence)));
    tasks.spawn(purge(services.clone()));
    tasks.spawn(tidy(services.clone(), tidy_every));
    tasks.spawn(keep_metrics(metrics));
    tasks.spawn(watch_outbox(services.clone()));
    describe_gauge!(
        CONNECTIONS,
        "Connections that listen to what happens in chats, of any kind."
    );
    for _ in 0..READERS {
        let hub = Arc::clone(&services.hub);
        tasks.spawn(async move { hub.work().await });
    }
    let hub = Arc::clone(&services.hub);
    tasks.spawn(async move { hub.listen().await });
    tasks.spawn(mend_gaps(Arc::clone(&services.hub)));
    tasks.spawn(look_around(Arc::clone(&services.hub)));
    tasks.spawn(keep_leases(Arc::clone(&services.hub)));
    let files = Arc::clone(&services.files);
    tasks.spawn(work("make a thumbnail", stopped.clone(), async move || {
        files.make_thumbnail().await
    }));
    let mail = Arc::clone(&services.mail);
    let deliver = async move || Ok(mail.deliver_due().await? > 0);
    Background {
        stop,
        mail: tokio::spawn(work("send mail", stopped, deliver)),
        _tasks: tasks,
    }
}

impl Background {
    /// Lets the mails go out that are being sent, as long as `patience` lasts, and ends everything. What was not sent is
    /// sent by whoever is next.
    pub(crate) async fn stop(mut self, patience: Duration) {
        // It fails when the worker has ended.
        let _ = self.stop.send(true);
        match timeout(patience, &mut self.mail).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error = chain(&error), "the task that sends mail broke down"),
            Err(_) => {
                tracing::warn!("mails that were being sent were cut off");
                self.mail.abort();
            }
        }
    }
}

/// Writes down who was seen when; what can't be written now is written later.
pub(crate) async fn flush(presence: &Presence) {
    if let Err(error) = presence.flush().await {
        tracing::warn!(error = chain(&error), "could not write down who was here");
    }
}

/// Tells that nobody is connected here any more.
pub(crate) async fn leave(hub: &Hub) {
    if let Err(error) = hub.leave().await {
        tracing::warn!(
            error = chain(&error),
            "could not say that nobody is connected here any more"
        );
    }
}

async fn keep_presence(presence: Arc<Presence>) {
    let mut ticks = interval(FLUSH_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        flush(&presence).await;
    }
}

async fn mend_gaps(hub: Arc<Hub>) {
    loop {
        hub.gap().await;
        sleep(GAP).await;
        hub.mend_gaps();
    }
}

async fn look_around(hub: Arc<Hub>) {
    let mut chats = interval(LOOK_AROUND_EVERY);
    let mut sessions = interval(SESSIONS_EVERY);
    chats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    sessions.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = chats.tick() => {
                hub.look_around();
                gauge!(CONNECTIONS).set(f64::from(u32::try_from(hub.connections()).unwrap_or(u32::MAX)));
            }
            _ = sessions.tick() => hub.look_at_sessions(),
        }
    }
}

async fn keep_leases(hub: Arc<Hub>) {
    let mut ticks = interval(LEASES_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = hub.keep_leases().await {
            tracing::warn!(error = chain(&error), "could not say who is connected here");
        }
    }
}

async fn purge(services: Services) {
    // Processes that were started together shall not purge together.
    sleep(PURGE_EVERY.mul_f64(fraction())).await;
    loop {
        match services.maintenance.purge(services.clock.now()).await {
            Ok(purged) => tracing::debug!(
                sessions = purged.sessions,
                idempotency_keys = purged.idempotency_keys,
                "removed what had expired"
            ),
            Err(error) => tracing::warn!(error = chain(&error), "could not remove what has expired"),
        }
        sleep(about(PURGE_EVERY)).await;
    }
}

async fn tidy(services: Services, every: Duration) {
    sleep(every.mul_f64(fraction())).await;
    loop {
        match services.files.tidy().await {
            Ok(objects) => tracing::debug!(objects, "removed files that nothing uses"),
            Err(error) => tracing::warn!(error = chain(&error), "could not remove files that nothing uses"),
        }
        sleep(about(every)).await;
    }
}

async fn keep_metrics(metrics: PrometheusHandle) {
    let mut ticks = interval(METRICS_EVERY);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

async fn watch_outbox(services: Services) {
    loop {
        match services.mail.oldest().await {
            Ok(oldest) => {
                let age = oldest.map_or(Duration::ZERO, |at| services.clock.now().since(at));
                gauge!(OUTBOX_AGE).set(age.as_secs_f64());
            }
            Err(error) => tracing::debug!(error = chain(&error), "could not look into the outbox"),
        }
        sleep(about(METRICS_EVERY)).await;
    }
}

/// Takes one step after the other, at once as long as there is something to do, until told to stop. A step that was begun
/// is finished.
async fn work(what: &str, mut told: watch::Receiver<bool>, mut step: impl AsyncFnMut() -> Result<bool, Failure>) {
    let mut back_off = LOOK_EVERY;
    while !*told.borrow() {
        let wait = match step().await {
            Ok(true) => continue,
            Ok(false) => {
                back_off = LOOK_EVERY;
                LOOK_EVERY
            }
            Err(error) => {
                tracing::warn!(error = chain(&error), "could not {what}");
                back_off = LONGEST_BACK_OFF.min(back_off * 2);
                back_off
            }
        };
        tokio::select! {
            // When nobody can tell any more, it is time to stop, too.
            _ = told.wait_for(|stop| *stop) => return,
            () = sleep(about(wait)) => {}
        }
    }
}

/// A little more or less than that, so that processes don't keep step.
fn about(time: Duration) -> Duration {
    time.mul_f64(0.9 + 0.2 * fraction())
}

/// At random from 0 to 1.
fn fraction() -> f64 {
    let [byte, ..] = OsSecretGenerator.bytes();
    f64::from(byte) / f64::from(u8::MAX)
}
