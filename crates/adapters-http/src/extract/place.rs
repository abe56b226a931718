//! Where a request came in.

use super::{Extract, state};
use crate::compat::Mount;
use crate::problem::Problem;
use actix_web::dev::Payload;
use actix_web::{HttpRequest, web};

/// The contract that the request came to.
pub(crate) struct Place(pub(crate) web::Data<Mount>);

/// What stands before a contract's paths: nothing on a listener of its own, `/compat/NAME` else.
pub(crate) struct Base(pub(crate) String);

/// Whether clients come by TLS.
pub(crate) struct Https(pub(crate) bool);

impl Extract for Place {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        mount(request).cloned().map(Self)
    }
}

impl Extract for Base {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        mount(request).map(|mount| Self(mount.base.clone()))
    }
}

impl Extract for Https {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        Ok(Self(state(request)?.public_url_is_https))
    }
}

fn mount(request: &HttpRequest) -> Result<&web::Data<Mount>, Problem> {
    request
        .app_data()
        .ok_or_else(|| Problem::internal("that is outside of every contract"))
}
