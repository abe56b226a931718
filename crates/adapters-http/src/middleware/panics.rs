use crate::problem::Problem;
use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use futures_util::FutureExt;
use std::any::Any;
use std::panic::AssertUnwindSafe;

/// Turns a panic into a 500, so that the client gets an answer and its connection lives on.
///
/// It wraps single resources: there, unlike around the whole app, actix bears another handle on the request, which is
/// what an answer can still be made from after the panic.
pub(crate) async fn catch_panics(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let kept = request.request().clone();
    // Unwind-safe enough: what the handler shares with other requests are the services, whose locks and pools are theirs
    // to keep in order.
    match AssertUnwindSafe(async { next.call(request).await })
        .catch_unwind()
        .await
    {
        Ok(answered) => answered.map(ServiceResponse::map_into_boxed_body),
        Err(panic) => {
            let problem = Problem::internal(format!("panic: {}", text(panic.as_ref())));
            Ok(ServiceResponse::from_err(problem, kept))
        }
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
