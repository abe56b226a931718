use super::random::Random;
use crate::support::{Api, Database, Process, Started, eventually};
use std::env;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;

pub(super) const NODES: usize = 3;

/// Server processes on one database and one bus, to be killed.
pub(super) struct Cluster {
    database_url: String,
    bus_port: u16,
    bus: Mutex<Option<Bus>>,
    nodes: Vec<Node>,
}

struct Node {
    data: TempDir,
    process: Mutex<Option<Process>>,
    /// Where it was last.
    api: Mutex<Api>,
}

/// A NATS server. It is killed when this is dropped.
struct Bus(Child);

impl Drop for Bus {
    fn drop(&mut self) {
        // It may have ended, and then there is nothing to be done.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Cluster {
    pub(super) async fn start(database: &Database) -> Self {
        // Nobody else gets it soon: the system gives out others first.
        let bus_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let node = || Node {
            data: tempfile::tempdir().unwrap(),
            process: Mutex::new(None),
            api: Mutex::new(Api::at("http://127.0.0.1:1".to_owned())),
        };
        let cluster = Self {
            database_url: database.url(),
            bus_port,
            bus: Mutex::new(None),
            nodes: std::iter::repeat_with(node).take(NODES).collect(),
        };
        cluster.start_all().await;
        cluster
    }

    /// A node, as it was last seen.
    pub(super) fn api(&self, node: usize) -> Api {
        self.nodes[node % NODES].api.lock().unwrap().clone()
    }

    /// Any, dead or alive.
    pub(super) fn any(&self, random: &mut Random) -> Api {
        self.api(random.below(NODES))
    }

    /// SIGKILL.
    pub(super) async fn kill(&self, node: usize) {
        let process = self.nodes[node].process.lock().unwrap().take();
        spawn_blocking(move || drop(process)).await.unwrap();
    }

    pub(super) async fn start_node(&self, node: usize) {
        let node = &self.nodes[node];
        let (url, data) = (self.database_url.clone(), node.data.path().to_owned());
        let bus = format!("--nats-url=nats://127.0.0.1:{}", self.bus_port);
        let start = move || {
            Started::with(
                &url,
                &data,
                &["--no-rate-limits", "--log=warn,tertulia_server=info", &bus],
            )
            .serving()
        };
        let process = spawn_blocking(start).await.unwrap();
        *node.api.lock().unwrap() = Api::at(process.base().to_owned());
        *node.process.lock().unwrap() = Some(process);
    }

    pub(super) async fn kill_bus(&self) {
        let bus = self.bus.lock().unwrap().take();
        spawn_blocking(move || drop(bus)).await.unwrap();
    }

    pub(super) async fn start_bus(&self) {
        let program = env::var("TEST_NATS_SERVER").unwrap_or_else(|_| {
            panic!("TEST_NATS_SERVER is not set: run the tests by `cargo xtask test`, which finds the program")
        });
        let bus = Command::new(program)
            .args(["--addr", "127.0.0.1", "--port", &self.bus_port.to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        *self.bus.lock().unwrap() = Some(Bus(bus));
        eventually("the bus", async || {
            TcpStream::connect(("127.0.0.1", self.bus_port)).await.ok()
        })
        .await;
    }

    pub(super) async fn kill_all(&self) {
        for node in 0..NODES {
            self.kill(node).await;
        }
        self.kill_bus().await;
    }

    pub(super) async fn start_all(&self) {
        self.start_bus().await;
        for node in 0..NODES {
            self.start_node(node).await;
        }
    }
}
