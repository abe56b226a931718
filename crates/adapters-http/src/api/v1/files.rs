use crate::creation::{Creation, stored};
use crate::docs::responses::{RangeNotSatisfiable, Retryable};
use crate::dto::{File, Id};
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Fingerprinting, Path, Query, Read, RetryableParts, State, WriteFile, flag};
use crate::problem::Problem;
use crate::serve::{self, Conditions};
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Deserialize;
use tertulia_domain::{FileId, Recorded};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new("/files").post(upload),
        Endpoint::new("/files/{id}/{name}").get(show),
    ]
}

/// A form with one file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "for the document alone: it is read part by part")]
pub(crate) struct FileForm {
    /// The file. Its type is told from its bytes, and its name is made harmless.
    file: Octets,
}

/// The bytes of a file, as a part of a form.
pub(crate) struct Octets;

impl PartialSchema for Octets {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .content_media_type("application/octet-stream")
            .into()
    }
}

impl ToSchema for Octets {}

/// Upload a file
///
/// A file that nothing uses is removed after a day.
#[utoipa::path(
    post,
    path = "/files",
    tag = "files",
    operation_id = "upload_file",
    params(Retryable),
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "The file", body = File))
)]
pub(crate) async fn upload(
    state: State,
    Authenticated(caller, _): Authenticated<WriteFile>,
    RetryableParts(mut parts): RetryableParts,
) -> Result<HttpResponse, Problem> {
    let upload = parts.receive(&state.services.files, caller).await?;
    let creation = Creation::answered_by(|file| stored(StatusCode::CREATED, &File::from(file)));
    let outcome = match creation.keyed(parts.retry.take().map(Fingerprinting::finish)) {
        Some(keyed) => upload.finish_once(keyed).await?,
        None => Recorded::Fresh(upload.finish().await?),
    };
    creation.answer(outcome)
}

/// What of a file to get.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileQuery {
    /// Whether to get a small picture of an image instead of the image itself.
    #[param(value_type = Option<bool>, default = false)]
    thumbnail: Option<String>,
}

/// Get a file's bytes
///
/// For its owner, for members of a chat that holds it, and for everybody if it is a user's avatar. Anything but a raster
/// image is to be saved and not shown. One range can be asked for, and whether anything changed (nothing ever does).
#[utoipa::path(
    get,
    path = "/files/{id}/{name}",
    tag = "files",
    operation_id = "get_file",
    params(
        ("id" = Id, Path, description = "The file"),
        ("name" = String, Path, description = "Its name; whatever stands here is taken"),
        FileQuery
    ),
    responses(
        (status = 200, description = "The bytes", body = String, content_type = "*/*"),
        (status = 206, description = "Some of them", body = String, content_type = "*/*"),
        (status = 304, description = "They are what the client has"),
        RangeNotSatisfiable
    )
)]
pub(crate) async fn show(
    state: State,
    Authenticated(caller, _): Authenticated<Read>,
    Path(id): Path<FileId>,
    Query(query): Query<FileQuery>,
    conditions: Conditions,
) -> Result<HttpResponse, Problem> {
    let thumbnail = flag("thumbnail", query.thumbnail.as_deref())?;
    let files = &state.services.files;
    let open = files.open(caller, id).await?;
    if thumbnail {
        serve::thumbnail(files, &open, &conditions).await
    } else {
        serve::file(files, &open, &conditions).await
    }
}
