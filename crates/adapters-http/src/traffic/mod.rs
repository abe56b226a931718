//! Who sends how much: the address that a request comes from, and what address and account may ask for.

mod allowance;
mod client;
mod limits;

pub(crate) use allowance::{Allowance, whole_seconds};
pub use limits::{Rate, RateLimits};

use crate::problem::Problem;
use actix_web::{HttpMessage, HttpRequest};
use ipnet::IpNet;
use limits::Limiters;
use std::net::IpAddr;
use tertulia_application::client_network;
use tertulia_domain::UserId;

/// What requests from one address are counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressClass {
    /// Not at all: probes.
    Free,
    /// Everything else.
    Any,
    /// Those that try or make credentials.
    Auth,
}

/// What requests of one account are counted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AccountClass {
    Reads,
    Writes,
    Uploads,
}

/// Shared by all workers.
pub(crate) struct Traffic {
    limiters: Option<Limiters>,
    trusted_proxies: Vec<IpNet>,
}

impl Traffic {
    pub(crate) fn new(limits: &RateLimits, trusted_proxies: Vec<IpNet>) -> Self {
        Self {
            limiters: limits.enabled.then(|| Limiters::new(limits)),
            trusted_proxies,
        }
    }

    /// The address of the client, as far as it can be known: that of the connection, or what trusted proxies say.
    pub(crate) fn client(&self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr()?.ip();
        Some(client::behind(peer, request.headers(), &self.trusted_proxies))
    }

    /// Counts a request from its address.
    pub(crate) fn admit_address(&self, request: &HttpRequest, class: AddressClass) -> Result<(), Problem> {
        let Some(limiters) = &self.limiters else {
            return Ok(());
        };
        let limiter = match class {
            AddressClass::Free => return Ok(()),
            AddressClass::Any => &limiters.address,
            AddressClass::Auth => &limiters.auth,
        };
        match self.client(request) {
            Some(ip) => note(request, limiter.check(&client_network(ip))),
            None => Ok(()),
        }
    }

    /// Counts a request of an account.
    pub(crate) fn admit_account(
        &self,
        request: &HttpRequest,
        user: UserId,
        class: AccountClass,
    ) -> Result<(), Problem> {
        let Some(limiters) = &self.limiters else {
            return Ok(());
        };
        let limiter = match class {
            AccountClass::Reads => &limiters.reads,
            AccountClass::Writes => &limiters.writes,
            AccountClass::Uploads => &limiters.uploads,
        };
        note(request, limiter.check(&user))
    }
}

/// Keeps what is left for the head of the answer.
fn note(request: &HttpRequest, checked: Result<Allowance, Allowance>) -> Result<(), Problem> {
    let (Ok(allowance) | Err(allowance)) = checked;
    request.extensions_mut().insert(allowance);
    match checked {
        Ok(_) => Ok(()),
        Err(_) => Err(Problem::rate_limited(
            "Too many requests; try again later.",
            allowance.retry_after,
        )),
    }
}
