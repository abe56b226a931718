use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use tertulia_application::Services;
use tertulia_application::ports::IdGenerator;

/// What the adapter works with; shared by all workers.
#[derive(Clone)]
pub struct HttpState {
    /// The use cases.
    pub services: Services,
    /// What `GET /metrics` shows.
    pub metrics: PrometheusHandle,
    /// Names requests that their client gave no name.
    pub ids: Arc<dyn IdGenerator>,
    /// Whether clients come by TLS: then cookies are for TLS alone.
    pub public_url_is_https: bool,
}
