use crate::problem::Problem;
use crate::traffic::{AddressClass, Traffic};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, web};

/// Counts a request by its address, and answers one that is too much.
pub(crate) async fn count(
    class: AddressClass,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let admitted = match request.app_data::<web::Data<Traffic>>() {
        Some(traffic) => traffic.admit_address(request.request(), class),
        None => Err(Problem::internal("the app was configured without its limits")),
    };
    match admitted {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(problem) => {
            let (request, _) = request.into_parts();
            Ok(ServiceResponse::from_err(problem, request))
        }
    }
}
