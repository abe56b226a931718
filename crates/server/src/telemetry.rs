//! What operators see: log and metrics.

use crate::config::{LogFilter, LogFormat};
use anyhow::{Context, anyhow};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::{IsTerminal, stderr};
use tertulia_adapters_http::REQUEST_SECONDS_BUCKETS;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt, registry};

/// Upper bounds of the histograms of anything but durations, such as the sizes of batches.
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// Writes the log of the whole process to standard error.
pub(crate) fn log(filter: &LogFilter, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter.as_str()).context("bad log filter")?;
    let lines = match format {
        LogFormat::Text => fmt::layer()
            .with_writer(stderr)
            .with_ansi(stderr().is_terminal())
            .boxed(),
        LogFormat::Json => fmt::layer().with_writer(stderr).json().flatten_event(true).boxed(),
    };
    registry()
        .with(filter)
        .with(lines)
        .try_init()
        .map_err(|error| anyhow!(error).context("cannot start the log"))
}

/// Collects the metrics of the whole process; every duration is counted into the buckets of requests. To be called once:
/// a second call is an error.
pub fn install_metrics() -> Result<PrometheusHandle, BuildError> {
    PrometheusBuilder::new()
        .set_buckets(SIZES)?
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), REQUEST_SECONDS_BUCKETS)?
        .install_recorder()
}
