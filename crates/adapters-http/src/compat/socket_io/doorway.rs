//! Who comes in.

use super::commands::Command;
use super::conversation::{Conversation, Shared};
use super::tether::Tether;
use super::{Dialect, HEARTBEAT, MAX_PACKET, WAITING};
use crate::HttpState;
use crate::compat::spanish;
use crate::extract::without_scheme;
use crate::problem::{Kind, Problem};
use engineioxide::service::NotFoundService;
use serde_json::Value;
use socketioxide::extract::{AckSender, Event, SocketRef, TryData};
use socketioxide::handler::ConnectHandler;
use socketioxide::service::SocketIoService;
use socketioxide::socket::DisconnectReason;
use socketioxide::{ParserConfig, SocketIo};
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tertulia_application::account::AuthenticateError;
use tertulia_application::realtime::Listener;
use tertulia_domain::api_key::Scope;
use tertulia_domain::{Caller, Scopes};
use tokio::sync::mpsc;

/// How long somebody may take to say who they are.
const INTRODUCTION: Duration = Duration::from_secs(10);

/// Packets that may wait for the peer to take them.
const OUTGOING: usize = 256;

const NO_TOKEN: &str = "Token de autenticación no proporcionado";
const BAD_TOKEN: &str = "Token inválido";

/// The library, with somebody at the door.
pub(super) fn open<D: Dialect>(state: Arc<HttpState>) -> SocketIoService<NotFoundService> {
    let shared = Arc::new(Shared::new(state));
    let packets = ParserConfig::common()
        .max_incoming_binaries(1)
        .max_incoming_binary_buf_size(MAX_PACKET);
    let (service, io) = SocketIo::builder()
        .req_path(super::PATH)
        .max_payload(MAX_PACKET as u64)
        .ws_max_message_size(MAX_PACKET)
        .ws_max_frame_size(MAX_PACKET)
        .max_buffer_size(OUTGOING)
        .ping_interval(HEARTBEAT)
        .ping_timeout(HEARTBEAT)
        .connect_timeout(INTRODUCTION)
        .with_parser(packets)
        .build_svc();
    let admit = {
        let shared = Arc::clone(&shared);
        async move |socket: SocketRef, TryData(auth): TryData<Value>| admit(&shared, socket, auth.ok()).await
    };
    let converse = async move |socket: SocketRef| {
        let guest = socket.extensions.remove::<Waiting>().and_then(Waiting::take);
        if let Some(guest) = guest {
            Conversation::<D>::new(shared, socket, guest).run().await;
        }
    };
    io.ns("/", converse.with(admit));
    service
}

/// Somebody who may come in.
pub(super) struct Guest {
    pub(super) caller: Caller,
    pub(super) scopes: Scopes,
    pub(super) listener: Listener,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) tether: Arc<Tether>,
}

/// A guest who has not been told so yet. If the peer is gone by then, so is the guest.
#[derive(Clone)]
struct Waiting(Arc<Mutex<Option<Guest>>>);

impl Waiting {
    fn take(self) -> Option<Guest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Lets somebody in, or says why not.
async fn admit(shared: &Shared, socket: SocketRef, auth: Option<Value>) -> Result<(), String> {
    let token = auth.as_ref().and_then(|auth| auth.get("token")).and_then(Value::as_str);
    let token = token
        .map(without_scheme)
        .filter(|token| !token.is_empty() && !token.eq_ignore_ascii_case("bearer"));
    let services = &shared.state.services;
    let identified = services.accounts.authenticate(token.ok_or(NO_TOKEN)?).await;
    let identified = identified.map_err(|error| match error {
        AuthenticateError::Failed(failure) => refusal(&failure.into()),
        AuthenticateError::Invalid | AuthenticateError::Expired | AuthenticateError::Ended => BAD_TOKEN.to_owned(),
    })?;
    if !identified.scopes.allow(Scope::Read) {
        return Err(spanish::of_kind(Kind::Forbidden).to_owned());
    }
    let tether = socket.req_parts().extensions.get::<Arc<Tether>>();
    let tether = Arc::clone(tether.ok_or_else(|| spanish::of_kind(Kind::Internal).to_owned())?);
    let caller = identified.who;
    let listener = services.hub.connect(caller.session()).await;
    let listener = listener.map_err(|error| refusal(&error.into()))?;
    let commands = take_commands(&socket, &tether);
    let guest = Guest {
        caller,
        scopes: identified.scopes,
        listener,
        commands,
        tether,
    };
    socket.extensions.insert(Waiting(Arc::new(Mutex::new(Some(guest)))));
    Ok(())
}

fn refusal(problem: &Problem) -> String {
    problem.log();
    spanish::of_kind(problem.kind()).to_owned()
}

/// Takes what the peer says in the order in which it comes. Whoever says far too much is cut off.
fn take_commands(socket: &SocketRef, tether: &Arc<Tether>) -> mpsc::Receiver<Command> {
    let (sender, commands) = mpsc::channel(WAITING);
    let flooded = Arc::clone(tether);
    // The library runs the futures in any order, but makes them one by one.
    socket.on_fallback(
        move |Event(event): Event, TryData(data): TryData<Value>, ack: AckSender| {
            let command = Command {
                event,
                data: data.unwrap_or_default(),
                ack,
            };
            if let Err(mpsc::error::TrySendError::Full(_)) = sender.try_send(command) {
                flooded.cut();
            }
            ready(())
        },
    );
    let left = Arc::clone(tether);
    socket.on_disconnect(move |reason: DisconnectReason| {
        // Whoever is dismissed is told so first.
        if reason != DisconnectReason::ServerNSDisconnect {
            left.cut();
        }
        ready(())
    });
    commands
}
