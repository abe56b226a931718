use super::unread::close_unread;
use super::{Matched, RequestId, headers};
use crate::compat::Mount;
use crate::problem::Problem;
use crate::traffic::Allowance;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use std::sync::Arc;
use std::time::Instant;
use tertulia_application::ports::IdGenerator;
use tracing::Instrument;
use tracing::field::{Empty, display};

/// Gives every request its id, span, log line and metrics, and every answer its headers.
pub(crate) struct Observer {
    ids: Arc<dyn IdGenerator>,
    unmatched: Matched,
}

impl Observer {
    pub(crate) fn new(ids: Arc<dyn IdGenerator>) -> Self {
        Self {
            ids,
            unmatched: Matched::nothing(),
        }
    }

    pub(crate) async fn observe(
        &self,
        mut request: ServiceRequest,
        next: Next<impl MessageBody + 'static>,
    ) -> Result<ServiceResponse<BoxBody>, Error> {
        let began = Instant::now();
        close_unread(&mut request);
        let id = RequestId::of(request.headers(), self.ids.as_ref());
        // Of the error level, so that an error's line bears the request id however little is logged. Never in it: the
        // query, which may name things that are nobody's business; bodies; credentials.
        let span = tracing::error_span!(
            "request",
            request_id = id.as_str(),
            method = %request.method(),
            route = Empty,
            status = Empty,
        );
        // Handlers and the default service turn every error into an answer: nothing is left for `?` to pass on.
        let response = next.call(request).instrument(span.clone()).await?;
        let mut response = rendered(response.map_into_boxed_body(), &id, &span);
        let took = began.elapsed();

        let status = response.status();
        let request = response.request();
        let matched = request.app_data::<Matched>().unwrap_or(&self.unmatched);
        matched.record(request.method(), status, took);
        span.record("route", matched.route());
        span.record("status", display(status.as_u16()));
        tracing::debug!(parent: &span, micros = took.as_micros(), "answered");

        let allowance = response.request().extensions().get::<Allowance>().copied();
        if let Some(allowance) = allowance {
            allowance.show(response.headers_mut());
        }
        headers::complete(response.headers_mut());
        response.headers_mut().insert(RequestId::HEADER, id.into_value());
        Ok(response)
    }
}

/// The answer, a problem written out.
fn rendered(response: ServiceResponse<BoxBody>, id: &RequestId, span: &tracing::Span) -> ServiceResponse<BoxBody> {
    let problem = response.response().error().and_then(Error::as_error::<Problem>);
    let Some(problem) = problem else {
        return response;
    };
    span.in_scope(|| problem.log());
    let mut answer = match response.request().app_data::<web::Data<Mount>>() {
        Some(mount) => problem.render_as(mount.contract.failure),
        None => problem.render(id),
    };
    // What was said around the handler: about other origins.
    for (name, value) in response.headers() {
        answer.headers_mut().append(name.clone(), value.clone());
    }
    response.into_response(answer)
}
