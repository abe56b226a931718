use super::{Api, Database};
use metrics_exporter_prometheus::PrometheusHandle;
use std::ops::Deref;
use std::path::Path;
use std::str::FromStr;
use std::sync::OnceLock;
use tempfile::TempDir;
use tertulia_server::config::Settings;
use tertulia_server::{Application, Config, install_metrics};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server inside the process of the test, with a data folder of its own. It ends with the test.
pub(crate) struct Server {
    api: Api,
    stop: oneshot::Sender<()>,
    running: JoinHandle<anyhow::Result<()>>,
    data: TempDir,
}

impl Server {
    /// One on that database.
    pub(crate) async fn on(database: &Database) -> Self {
        Self::with(database, |_| {}).await
    }

    /// One with other settings.
    pub(crate) async fn with(database: &Database, change: impl FnOnce(&mut Settings)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut settings = settings(database, data.path());
        change(&mut settings);
        let config = Config::load(settings).unwrap();
        let application = Application::build(&config, metrics()).await.unwrap();
        let api = Api::at(format!("http://{}", application.address()));
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(application.run(async {
            // Dropping the sender is as good as sending.
            let _ = stopped.await;
        }));
        Self {
            api,
            stop,
            running,
            data,
        }
    }

    /// The data folder.
    pub(crate) fn data(&self) -> &Path {
        self.data.path()
    }

    /// Stops it as a signal would.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.running.await.unwrap().unwrap();
    }
}

impl Deref for Server {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

/// Small enough that many servers fit into one machine, on any free port.
fn settings(database: &Database, data: &Path) -> Settings {
    Settings {
        listen: value("127.0.0.1:0"),
        data_dir: Some(data.to_owned()),
        database_url: value(&database.url()),
        database_connections: value("4"),
        workers: value("2"),
        hash_threads: value("1"),
        ..Settings::default()
    }
}

/// A setting as it would be written.
pub(crate) fn value<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// There is one recorder in a process.
fn metrics() -> PrometheusHandle {
    static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();
    METRICS.get_or_init(|| install_metrics().unwrap()).clone()
}
