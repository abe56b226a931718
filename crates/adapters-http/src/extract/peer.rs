use super::Extract;
use crate::problem::Problem;
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use std::net::IpAddr;

/// The address at the other end of the connection. What a proxy says about its client is not asked: anybody can say it.
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

impl Extract for Peer {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        // Where the listener takes both families, an IPv4 address comes as one mapped into IPv6.
        Ok(Self(request.peer_addr().map(|address| address.ip().to_canonical())))
    }
}
