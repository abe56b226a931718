//! Files at unguessable addresses, for clients that can't send a header with what they show.

use crate::docs::responses::{NotFound, RangeNotSatisfiable, Unavailable};
use crate::dto::percent_encoded;
use crate::endpoint::Endpoint;
use crate::extract::{Path, State};
use crate::problem::Problem;
use crate::serve::{self, Conditions};
use actix_web::HttpResponse;
use tertulia_domain::{File, PublicKey};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("/uploads/{key}/{name}").get(show)]
}

/// The public address of a file that has one, below wherever [`endpoints`] are.
pub(crate) fn public_path(file: &File) -> Option<String> {
    let key = file.public_key.as_ref()?;
    Some(format!(
        "/uploads/{}/{}",
        key.as_str(),
        percent_encoded(file.name.as_str())
    ))
}

/// Get a file by its public address
///
/// For whoever knows the key in it. Only files that were given such an address have one.
#[utoipa::path(
    get,
    path = "/uploads/{key}/{name}",
    tag = "files",
    operation_id = "get_public_file",
    security(()),
    params(
        ("key" = String, Path, description = "The key"),
        ("name" = String, Path, description = "The file's name; whatever stands here is taken")
    ),
    responses(
        (status = 200, description = "The bytes", body = String, content_type = "application/octet-stream"),
        (status = 206, description = "Some of them", body = String, content_type = "application/octet-stream"),
        (status = 304, description = "They are what the client has"),
        NotFound,
        RangeNotSatisfiable,
        Unavailable
    )
)]
pub(crate) async fn show(
    state: State,
    Path(key): Path<PublicKey>,
    conditions: Conditions,
) -> Result<HttpResponse, Problem> {
    let files = &state.services.files;
    let open = files.open_public(&key).await?;
    serve::file(files, &open, &conditions).await
}
