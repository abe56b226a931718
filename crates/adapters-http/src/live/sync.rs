use super::event_json;
use super::stream::bad_token;
use crate::dto::Id;
use crate::extract::{Authenticated, Query, Read, State, seconds};
use crate::problem::Problem;
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;
use tertulia_application::realtime::{Bookmark, Delivery, LiveEvent, Resume, ResumeError};
use tokio::time::{Instant, timeout_at};
use utoipa::{IntoParams, ToSchema};

/// Events of one answer, about.
const ENOUGH: usize = 500;

/// Seconds that a request waits for something to happen.
const WAIT: u64 = 25;

/// Where to go on, and how long to wait.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SyncQuery {
    /// The `token` of the answer before; without one the answer is a token at once.
    token: Option<String>,
    /// Seconds to wait for something to happen.
    #[param(value_type = Option<u64>, minimum = 0, maximum = 60, default = 25)]
    timeout: Option<String>,
}

/// What happened since.
#[derive(Serialize, ToSchema)]
pub(crate) struct Synced {
    /// Frames of events, each chat's in order.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Box<RawValue>>,
    /// Chats of which too much was missed: they are to be loaded again.
    reset: Vec<Id>,
    /// To go on with.
    token: String,
    /// Whether there is more already.
    more: bool,
}

/// Ask what happened
///
/// Answers as soon as something has happened after the token, or when the time is over: for clients that can keep no
/// connection open.
#[utoipa::path(
    get,
    path = "/sync",
    tag = "realtime",
    operation_id = "sync",
    params(SyncQuery),
    responses((status = 200, description = "What happened", body = Synced))
)]
pub(crate) async fn sync(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    Query(query): Query<SyncQuery>,
) -> Result<HttpResponse, Problem> {
    let wait = seconds("timeout", query.timeout.as_deref(), WAIT, 60)?;
    let mut listener = state.services.hub.connect(caller.session()).await?;
    let now = listener.bookmark();
    let mut synced = Synced {
        events: Vec::new(),
        reset: Vec::new(),
        token: String::new(),
        more: false,
    };
    let Some(token) = query.token else {
        synced.token = now.token();
        return Ok(respond::json(StatusCode::OK, &synced));
    };
    let mut bookmark = Bookmark::at(&token).ok_or_else(bad_token)?;
    let resumed = listener.resume(Resume::Token(token)).await;
    let mut backlog = resumed.map_err(|error| match error {
        ResumeError::BadToken => bad_token(),
        ResumeError::Failed(failure) => failure.into(),
    })?;
    let mut tell = |event: &LiveEvent| -> Result<(), Problem> {
        bookmark.pass(event);
        let json = String::from_utf8(event_json(event).to_vec()).map_err(Problem::internal)?;
        synced
            .events
            .push(RawValue::from_string(json).map_err(Problem::internal)?);
        Ok(())
    };
    let mut told = 0;
    let mut more = false;
    while !more && let Some(events) = backlog.next().await? {
        told += events.len();
        events.iter().try_for_each(&mut tell)?;
        more = told >= ENOUGH;
    }
    if !more {
        let departures = backlog.departures(&listener);
        told += departures.len();
        departures.iter().try_for_each(&mut tell)?;
        let deadline = Instant::now() + Duration::from_secs(wait);
        let nothing = told == 0 && backlog.reset().is_empty();
        if nothing && let Ok(delivery) = timeout_at(deadline, first_event(&listener)).await {
            // A session that ended is told so by the next request.
            if let Some(event) = delivery {
                tell(&event)?;
            }
        }
        while let Some(delivery) = listener.try_next() {
            if let Delivery::Event(event) = delivery {
                tell(&event)?;
            }
        }
    }
    bookmark.skip(&backlog);
    synced.reset = backlog.reset().into_iter().map(Into::into).collect();
    synced.token = bookmark.token();
    synced.more = more;
    Ok(respond::json(StatusCode::OK, &synced))
}

/// The next event that comes by itself; `None` when the listener is to be closed.
async fn first_event(listener: &tertulia_application::realtime::Listener) -> Option<std::sync::Arc<LiveEvent>> {
    loop {
        match listener.next().await {
            Ok(Delivery::Event(event)) => return Some(event),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}
