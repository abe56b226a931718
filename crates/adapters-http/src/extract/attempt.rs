use super::{Extract, traffic};
use crate::problem::Problem;
use crate::traffic::AddressClass;
use actix_web::HttpRequest;
use actix_web::dev::Payload;

/// A request that tries or makes credentials, counted as such: for a path whose other methods do not.
pub(crate) struct Attempt;

impl Extract for Attempt {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self, Problem> {
        traffic(request)?.admit_address(request, AddressClass::Auth)?;
        Ok(Self)
    }
}
