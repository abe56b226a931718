//! Files at unguessable addresses, for clients that can't send a header with what they show.

use crate::docs::responses::{Forbidden, NotFound, RangeNotSatisfiable, Unauthorized, Unavailable};
use crate::dto::percent_encoded;
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Extract, Path, Read, State};
use crate::problem::Problem;
use crate::serve::{self, Conditions};
use actix_web::dev::Payload;
use actix_web::{HttpRequest, HttpResponse};
use tertulia_domain::{Caller, File, FileId, PublicKey};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("/uploads/{key}/{name}").get(show)]
}

/// Where a file is, below the base of whatever serves it. One without a public key is there by its id, for those who may
/// read it and have a token.
pub(crate) fn address(file: &File) -> String {
    let name = percent_encoded(file.name.as_str());
    match &file.public_key {
        Some(key) => format!("/uploads/{}/{name}", key.as_str()),
        None => format!("/uploads/{}/{name}", file.id),
    }
}

/// What an address names.
pub(crate) enum Named {
    /// To whoever knows it.
    Public(PublicKey),
    /// To whoever may read that file.
    Own(Caller, FileId),
}

impl Extract for Named {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        // An id has the form of a key, too.
        if let Ok(Path(id)) = Path::<FileId>::extract(request, payload).await {
            let Authenticated(caller, _) = Authenticated::<Read>::extract(request, payload).await?;
            return Ok(Self::Own(caller, id));
        }
        let Path(key) = Path::<PublicKey>::extract(request, payload).await?;
        Ok(Self::Public(key))
    }
}

/// Get a file by its address
///
/// For whoever knows the key in it. A file that was given no such address is there by its id, for those who may read it.
#[utoipa::path(
    get,
    path = "/uploads/{key}/{name}",
    tag = "files",
    operation_id = "get_public_file",
    security(()),
    params(
        ("key" = String, Path, description = "The key, or the file's id"),
        ("name" = String, Path, description = "The file's name; whatever stands here is taken")
    ),
    responses(
        (status = 200, description = "The bytes", body = String, content_type = "*/*"),
        (status = 206, description = "Some of them", body = String, content_type = "*/*"),
        (status = 304, description = "They are what the client has"),
        Unauthorized,
        Forbidden,
        NotFound,
        RangeNotSatisfiable,
        Unavailable
    )
)]
pub(crate) async fn show(state: State, named: Named, conditions: Conditions) -> Result<HttpResponse, Problem> {
    let files = &state.services.files;
    let open = match named {
        Named::Public(key) => files.open_public(&key).await?,
        Named::Own(caller, id) => files.open(caller, id).await?,
    };
    serve::file(files, &open, &conditions).await
}
