//! What goes on between requests.

use crate::errors::chain;
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::time::Duration;
use tertulia_adapters_system::OsSecretGenerator;
use tertulia_application::Services;
use tertulia_application::ports::SecretGenerator;
use tertulia_application::realtime::Presence;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How far behind the stored times of last use may be.
const FLUSH_EVERY: Duration = Duration::from_secs(5);

/// How often what has expired is removed.
const PURGE_EVERY: Duration = Duration::from_mins(10);

/// How often samples of histograms are taken in; the exporter's own interval.
const METRICS_EVERY: Duration = Duration::from_secs(5);

/// Starts the tasks. They end when the set is dropped.
pub(crate) fn start(services: &Services, metrics: PrometheusHandle) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(keep_presence(Arc::clone(&services.presence)));
    tasks.spawn(purge(services.clone()));
    tasks.spawn(keep_metrics(metrics));
    tasks
}

/// Writes down who was seen when; what can't be written now is written later.
pub(crate) async fn flush(presence: &Presence) {
    if let Err(error) = presence.flush().await {
        tracing::warn!(error = chain(&error), "could not write down who was here");
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
        sleep(PURGE_EVERY.mul_f64(0.9 + 0.2 * fraction())).await;
    }
}

async fn keep_metrics(metrics: PrometheusHandle) {
    let mut ticks = interval(METRICS_EVERY);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

/// At random from 0 to 1.
fn fraction() -> f64 {
    let [byte, ..] = OsSecretGenerator.bytes();
    f64::from(byte) / f64::from(u8::MAX)
}
