use super::{Extract, traffic};
use crate::problem::Problem;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use std::net::IpAddr;

/// The address of the client: that of the connection, or what proxies say who are trusted.
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

impl Extract for Peer {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        Ok(Self(traffic(request)?.client(request)))
    }
}
