//! What operators and their machines ask.

use crate::docs;
use crate::docs::responses::Unavailable;
use crate::endpoint::Endpoint;
use crate::extract::State;
use crate::problem::{FieldCode, Kind, Problem};
use crate::respond;
use crate::traffic::AddressClass;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use serde::Serialize;
use tertulia_application::BoxError;
use utoipa::ToSchema;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/healthz").get(healthz).counted_as(AddressClass::Free),
        Endpoint::new("/readyz").get(readyz).counted_as(AddressClass::Free),
        Endpoint::new("/metrics").get(metrics).counted_as(AddressClass::Free),
        Endpoint::new("/openapi.json").get(openapi),
    ]
}

/// How the server is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    #[schema(examples("ok"))]
    status: &'static str,
}

const OK: Health = Health { status: "ok" };

/// Is the process alive?
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operation",
    operation_id = "healthz",
    security(()),
    responses((status = 200, description = "It is", body = Health))
)]
pub(crate) async fn healthz() -> HttpResponse {
    respond::json(StatusCode::OK, &OK)
}

/// Can it serve?
///
/// The database answers and has the schema that this version was built for, and other processes, if there may be any,
/// can be told of changes.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operation",
    operation_id = "readyz",
    security(()),
    responses((status = 200, description = "It can", body = Health), Unavailable)
)]
pub(crate) async fn readyz(state: State) -> Result<HttpResponse, Problem> {
    let mut faults: Vec<(&'static str, BoxError)> = Vec::new();
    if let Err(error) = state.services.maintenance.check().await {
        faults.push(("database", error.into()));
    }
    if let Err(error) = state.services.bus.check().await {
        faults.push(("bus", error.into()));
    }
    if faults.is_empty() {
        return Ok(respond::json(StatusCode::OK, &OK));
    }
    let not_ready = Problem::new(Kind::Unavailable, "Not ready; see errors.");
    Err(faults.into_iter().fold(not_ready, |problem, (field, error)| {
        let named = problem.on(field, FieldCode::Unavailable, error.to_string());
        named.because(error)
    }))
}

/// Metrics for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    operation_id = "metrics",
    security(()),
    responses((status = 200, description = "In Prometheus' text format", body = String, content_type = "text/plain"))
)]
pub(crate) async fn metrics(state: State) -> HttpResponse {
    let media_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    respond::bytes(StatusCode::OK, media_type, state.metrics.render())
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
pub(crate) async fn openapi() -> HttpResponse {
    respond::json_bytes(StatusCode::OK, docs::document())
}
