//! Contracts: the APIs of other chat services, for their clients; one folder each.
//!
//! A contract is a [`Contract`] and a line in [`CONTRACTS`]: its endpoints, the shape of its failures and its document.
//! Its handlers fail with a `Problem` like all others, in the contract's own words where it has some
//! ([`Problem::worded`]); that the failure gets its shape is seen to here.

mod accounts;
mod amigos;
mod company;
mod cookies;
mod emotechat;
mod english;
mod files;
mod messages;
mod pairs;
mod participants;
pub(crate) mod socket_io;
mod spanish;

use crate::docs;
use crate::endpoint::Endpoint;
use crate::extract::Place;
use crate::problem::Problem;
use crate::respond;
use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use std::sync::OnceLock;

/// All of them.
pub(crate) static CONTRACTS: &[Contract] = &[
    amigos::CONTRACT,
    company::CONTRACT,
    cookies::CONTRACT,
    emotechat::CONTRACT,
    participants::CONTRACT,
];

/// Where the contracts live, each under its name.
pub(crate) const PREFIX: &str = "/compat";

/// The names of the contracts.
pub fn contract_names() -> impl Iterator<Item = &'static str> {
    CONTRACTS.iter().map(|contract| contract.name)
}

/// An API of another service.
pub(crate) struct Contract {
    /// Letters that are fit for a path.
    pub(crate) name: &'static str,
    /// What it can do, its paths as that service has them.
    pub(crate) endpoints: fn() -> Vec<Endpoint>,
    /// How it shows a failure: status and JSON.
    pub(crate) failure: fn(&Problem) -> (StatusCode, Vec<u8>),
    /// Its description, paths likewise; what follows for every operation is added.
    pub(crate) document: fn() -> utoipa::openapi::OpenApi,
    /// The name of the schema in it that failures have.
    pub(crate) failure_schema: &'static str,
}

impl Contract {
    /// The one of that name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        CONTRACTS.iter().find(|contract| contract.name == name)
    }

    /// Where it lives beside the others.
    pub(crate) fn prefix(&self) -> String {
        format!("{PREFIX}/{}", self.name)
    }

    /// What is served: what it can do, and its document.
    pub(crate) fn routes(&self) -> Vec<Endpoint> {
        let mut routes = (self.endpoints)();
        routes.push(Endpoint::new("/openapi.json").get(openapi));
        routes
    }
}

/// A contract that is served somewhere.
pub(crate) struct Mount {
    pub(crate) contract: &'static Contract,
    /// What stands before its paths; nothing on a listener of its own.
    pub(crate) base: String,
    document: OnceLock<Bytes>,
}

impl Mount {
    /// Beside the others.
    pub(crate) fn beside_others(contract: &'static Contract) -> web::Data<Self> {
        Self::at(contract, contract.prefix())
    }

    /// On a listener of its own.
    pub(crate) fn alone(contract: &'static Contract) -> web::Data<Self> {
        Self::at(contract, String::new())
    }

    fn at(contract: &'static Contract, base: String) -> web::Data<Self> {
        web::Data::new(Self {
            contract,
            base,
            document: OnceLock::new(),
        })
    }

    fn document(&self) -> Bytes {
        let document = || docs::contract_document(self.contract, &self.base);
        self.document.get_or_init(document).clone()
    }
}

/// This document
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "operation",
    operation_id = "openapi",
    security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
pub(crate) async fn openapi(Place(mount): Place) -> HttpResponse {
    respond::json_bytes(StatusCode::OK, mount.document())
}
