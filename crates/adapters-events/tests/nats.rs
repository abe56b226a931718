//! Telling other processes over real NATS servers, which come and go.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use futures_util::StreamExt;
use std::env;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tertulia_adapters_events::{NatsCredentials, NatsEventBus, NatsOptions};
use tertulia_application::ports::{EventBus, Signal, SignalStream};
use tertulia_domain::{ChatId, SessionId, Timestamp, UserId};
use tokio::net::TcpSocket;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// How long anything may take before a test gives up: far longer than it ever takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A number that no other test has.
fn unique() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u64_pair(process::id().into(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The address of the server that `cargo xtask test` starts, as the client takes it.
fn shared() -> String {
    env::var("TEST_NATS_URL").unwrap_or_else(|_| {
        panic!("TEST_NATS_URL is not set: run the tests by `cargo xtask test`, which starts a server")
    })
}

/// For the server of that URL, with a subject that no other test has.
fn options(url: &str) -> NatsOptions {
    let (scheme, place) = url.split_once("://").unwrap();
    let (login, address) = place.rsplit_once('@').unwrap_or(("", place));
    let (host, port) = address.trim_end_matches('/').rsplit_once(':').unwrap();
    NatsOptions {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: Some(port.parse().unwrap()),
        tls: scheme == "tls",
        credentials: match login.split_once(':') {
            Some((user, password)) => Some(NatsCredentials::Password {
                user: user.to_owned(),
                password: password.to_owned(),
            }),
            None => (!login.is_empty()).then(|| NatsCredentials::Token(login.to_owned())),
        },
        subject: Some(format!("test.{}", unique())),
        node: unique(),
    }
}

/// One more process on the same subject.
fn another(options: &NatsOptions) -> NatsOptions {
    NatsOptions {
        node: unique(),
        ..options.clone()
    }
}

async fn start(options: &NatsOptions) -> NatsEventBus {
    NatsEventBus::start(options.clone()).await.unwrap()
}

/// One that is connected.
async fn connected(options: &NatsOptions) -> NatsEventBus {
    let bus = start(options).await;
    until_up(&bus).await;
    bus
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let limit = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < limit, "{what}: not within {PATIENCE:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

async fn until_up(bus: &NatsEventBus) {
    until("a connection", async || bus.check().await.is_ok()).await;
}

async fn until_down(bus: &NatsEventBus) {
    until("the loss of a connection", async || bus.check().await.is_err()).await;
}

async fn next(stream: &mut SignalStream) -> Signal {
    timeout(PATIENCE, stream.next()).await.unwrap().unwrap()
}

fn typing(user: u128) -> Signal {
    Signal::Typing {
        chat_id: ChatId::from_uuid(Uuid::from_u128(7)),
        user_id: UserId::from_uuid(Uuid::from_u128(user)),
        active: true,
    }
}

/// An address at which nobody listens, and which nobody else gets meanwhile.
fn nowhere() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

/// A server of the test's own. It is killed with SIGKILL when this is dropped.
struct Server(Child);

impl Server {
    fn on(port: u16, arguments: &[&str]) -> Self {
        let program = env::var_os("TEST_NATS_SERVER").map_or_else(installed, PathBuf::from);
        let mut command = Command::new(program);
        command.args(["--addr", "127.0.0.1", "--port", &port.to_string()]);
        let silent = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        Self(silent.spawn().unwrap())
    }
}

/// Debian puts it where not everybody's PATH leads.
fn installed() -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into()])
        .map(|folder| folder.join("nats-server"))
        .find(|program| program.is_file())
        .unwrap()
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended, and then there is nothing to be done.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn ends_hear_each_other_and_not_themselves() {
    let options = options(&shared());
    let (ana, ben) = (connected(&options).await, connected(&another(&options)).await);
    let (mut anas, mut bens) = (ana.subscribe(), ben.subscribe());
    let user_id = UserId::from_uuid(unique());
    let all = [
        Signal::Changed {
            chat_id: ChatId::from_uuid(unique()),
            users: vec![user_id, UserId::from_uuid(unique())],
        },
        Signal::SessionsEnded {
            user_id,
            session_id: Some(SessionId::from_uuid(unique())),
        },
        Signal::SessionsEnded {
            user_id,
            session_id: None,
        },
        typing(1),
        Signal::Presence {
            user_id,
            online: true,
            at: Timestamp::from_millis(1_700_000_000_123),
        },
    ];
    for signal in &all {
        ana.publish(signal.clone());
    }
    for signal in &all {
        assert_eq!(next(&mut bens).await, *signal);
    }
    // Would she hear herself, it would be before she hears him.
    ben.publish(typing(2));
    assert_eq!(next(&mut anas).await, typing(2));
}

#[tokio::test]
async fn every_subscriber_hears_everything() {
    let options = options(&shared());
    let (ana, ben) = (connected(&options).await, connected(&another(&options)).await);
    let mut streams = [ben.subscribe(), ben.subscribe()];
    for user in 0..500 {
        ana.publish(typing(user));
    }
    for stream in &mut streams {
        for user in 0..500 {
            assert_eq!(next(stream).await, typing(user));
        }
    }
}

#[tokio::test]
async fn other_subjects_are_not_heard() {
    let ana = connected(&options(&shared())).await;
    let bens = options(&shared());
    let (ben, cid) = (connected(&bens).await, connected(&another(&bens)).await);
    let mut heard = ben.subscribe();
    ana.publish(typing(1));
    cid.publish(typing(2));
    assert_eq!(next(&mut heard).await, typing(2));
}

#[tokio::test]
async fn garbage_is_survived() {
    let options = options(&shared());
    let ana = connected(&options).await;
    let mut heard = ana.subscribe();
    let stranger = async_nats::connect(shared()).await.unwrap();
    let subject = options.subject.clone().unwrap();
    let own = options.node;
    for garbage in [
        Vec::new(),
        b"nonsense".to_vec(),
        vec![0xff; 100_000],
        br#"{"node":"x","told":"lost"}"#.to_vec(),
        format!(r#"{{"node":"{own}","told":"echo","connection":99}}"#).into_bytes(),
    ] {
        stranger.publish(subject.clone(), garbage.into()).await.unwrap();
    }
    let real = format!(r#"{{"node":"{}","told":"lost","new":"field"}}"#, unique());
    stranger.publish(subject, real.into()).await.unwrap();
    stranger.flush().await.unwrap();
    assert_eq!(next(&mut heard).await, Signal::Lost);
    let ben = connected(&another(&options)).await;
    ben.publish(typing(1));
    assert_eq!(next(&mut heard).await, typing(1));
    ana.check().await.unwrap();
}

#[tokio::test]
async fn a_server_that_dies_and_comes_back_is_noticed() {
    let (held, port) = nowhere();
    drop(held);
    let server = Server::on(port, &[]);
    let options = options(&format!("nats://127.0.0.1:{port}"));
    let (ana, ben) = (connected(&options).await, connected(&another(&options)).await);
    let (mut anas, mut bens) = (ana.subscribe(), ben.subscribe());
    ana.publish(typing(1));
    assert_eq!(next(&mut bens).await, typing(1));

    drop(server);
    until_down(&ana).await;
    until_down(&ben).await;
    let _server = Server::on(port, &[]);
    assert_eq!(next(&mut anas).await, Signal::Lost);
    assert_eq!(next(&mut bens).await, Signal::Lost);
    ana.check().await.unwrap();
    ben.check().await.unwrap();
    ana.publish(typing(2));
    assert_eq!(next(&mut bens).await, typing(2));
    ben.publish(typing(3));
    assert_eq!(next(&mut anas).await, typing(3));
}

#[tokio::test]
async fn it_starts_without_a_server_and_connects_later() {
    let (held, port) = nowhere();
    let options = options(&format!("nats://127.0.0.1:{port}"));
    let (ana, ben) = (start(&options).await, start(&another(&options)).await);
    let mut bens = ben.subscribe();
    ana.check().await.unwrap_err();

    drop(held);
    let _server = Server::on(port, &[]);
    assert_eq!(next(&mut bens).await, Signal::Lost);
    until_up(&ana).await;
    ana.publish(typing(1));
    assert_eq!(next(&mut bens).await, typing(1));
}

#[tokio::test]
async fn too_much_is_dropped_and_the_others_are_told() {
    let (held, port) = nowhere();
    let options = options(&format!("nats://127.0.0.1:{port}"));
    let ana = start(&options).await;
    for user in 0..100_000 {
        // Nobody takes these, and nothing waits.
        ana.publish(typing(user));
    }
    drop(held);
    let _server = Server::on(port, &[]);
    let listener = async_nats::ConnectOptions::new().retry_on_initial_connect();
    let listener = listener.connect(format!("127.0.0.1:{port}")).await.unwrap();
    let mut messages = listener.subscribe(options.subject.clone().unwrap()).await.unwrap();
    listener.flush().await.unwrap();
    until_up(&ana).await;
    for user in 100_000..110_000 {
        // Without a pause between them they can't all find room.
        ana.publish(typing(user));
    }
    let mut heard = 0;
    let lost = async {
        while let Some(message) = messages.next().await {
            heard += 1;
            if message.payload.ends_with(br#""told":"lost"}"#) {
                return true;
            }
        }
        false
    };
    assert!(timeout(PATIENCE, lost).await.unwrap());
    assert!(heard < 110_000);
}

#[tokio::test]
async fn it_gets_in_with_a_password_or_a_token() {
    for (arguments, login) in [
        (&["--user", "ana", "--pass", "open:sesame"][..], "ana:open:sesame"),
        (&["--auth", "open-sesame"], "open-sesame"),
    ] {
        let (held, port) = nowhere();
        drop(held);
        let _server = Server::on(port, arguments);
        let stranger = start(&options(&format!("nats://127.0.0.1:{port}"))).await;
        let bus = connected(&options(&format!("nats://{login}@127.0.0.1:{port}"))).await;
        bus.check().await.unwrap();
        stranger.check().await.unwrap_err();
    }
}
