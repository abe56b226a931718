//! Requests to what handlers work with.

mod attempt;
mod body;
mod check;
mod field;
mod form;
mod guard;
mod idempotency;
mod in_order;
mod pages;
mod parts;
mod path;
mod payload;
mod peer;
mod place;
mod query;
mod same_site;

pub(crate) use attempt::Attempt;
pub(crate) use body::{Body, Input, parse as parse_json};
pub(crate) use check::{Check, by_ref, id, ids, time};
pub(crate) use field::{Field, JsonType};
pub(crate) use form::{Form, JsonOrForm};
pub(crate) use guard::{
    Access, Account, AccountFile, Authenticated, Claimed, Entry, Identity, Manage, ManageFile, NO_TOKEN, Read, Write,
    WriteFile, bearer_token, without_scheme,
};
pub(crate) use idempotency::{Fingerprinting, KeyedBody};
pub(crate) use in_order::InOrder;
pub(crate) use pages::{page_count, page_number, page_size, page_size_within};
pub(crate) use parts::{Part, Parts, RetryableParts, is_form};
pub(crate) use path::{Path, Segment};
pub(crate) use payload::has_body;
pub(crate) use peer::Peer;
pub(crate) use place::{Base, Https, Place};
pub(crate) use query::{Query, cursor, flag, limit, refused, seconds, seq};
pub(crate) use same_site::{Origins, SameSite};

use crate::HttpState;
use crate::problem::Problem;
use crate::traffic::Traffic;
use actix_web::dev::Payload;
use actix_web::{HttpRequest, web};

/// What every handler needs.
pub(crate) type State = web::Data<HttpState>;

/// Something that is made from a request: an argument of a handler, or all of them, [`InOrder`].
pub(crate) trait Extract: Sized {
    /// Who may come to an operation that takes this.
    const ENTRY: Entry = Entry::Open;

    /// Makes it, or says what the answer is instead.
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem>;
}

impl Extract for State {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        Ok(state(request)?.clone())
    }
}

fn traffic(request: &HttpRequest) -> Result<&web::Data<Traffic>, Problem> {
    request
        .app_data()
        .ok_or_else(|| Problem::internal("the app was configured without its limits"))
}

pub(crate) fn state(request: &HttpRequest) -> Result<&State, Problem> {
    request
        .app_data()
        .ok_or_else(|| Problem::internal("the app was configured without its state"))
}
