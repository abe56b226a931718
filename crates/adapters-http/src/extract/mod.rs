//! Requests to what handlers work with.

mod body;
mod check;
mod field;
mod form;
mod guard;
mod idempotency;
mod in_order;
#[cfg_attr(not(test), expect(dead_code, reason = "for contracts that are not served yet"))]
mod pages;
mod parts;
mod path;
mod payload;
mod peer;
#[expect(dead_code, reason = "for contracts that are not served yet")]
mod place;
mod query;

pub(crate) use body::{Body, Input};
pub(crate) use check::{Check, by_ref, id, ids};
pub(crate) use field::Field;
pub(crate) use form::JsonOrForm;
pub(crate) use guard::{
    Account, AccountFile, Authenticated, Claimed, Entry, Manage, ManageFile, Read, Write, WriteFile,
};
pub(crate) use idempotency::{Fingerprinting, KeyedBody};
pub(crate) use in_order::InOrder;
pub(crate) use pages::size_within;
pub(crate) use parts::{Part, Parts, RetryableParts, is_form};
pub(crate) use path::Path;
pub(crate) use payload::has_body;
pub(crate) use peer::Peer;
pub(crate) use place::Place;
pub(crate) use query::{Query, cursor, flag, limit, refused, seq};

#[expect(unused_imports, reason = "for contracts; some of them are not served yet")]
pub(crate) use {
    check::number,
    field::JsonType,
    form::Form,
    guard::{Access, bearer_token, without_scheme},
    pages::{page_number, page_size},
    path::Segment,
    place::{Base, Https},
};

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

fn state(request: &HttpRequest) -> Result<&State, Problem> {
    request
        .app_data()
        .ok_or_else(|| Problem::internal("the app was configured without its state"))
}
