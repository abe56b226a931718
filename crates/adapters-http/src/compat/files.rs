//! Files as the contracts show them: at an address below the contract's own base.

use crate::docs::responses::{Forbidden, NotFound, RangeNotSatisfiable, Unauthorized, Unavailable};
use crate::dto::percent_encoded;
use crate::endpoint::Endpoint;
use crate::extract::{Authenticated, Extract, Part, Path, Read, State};
use crate::problem::{FieldCode, Kind, Problem};
use crate::serve::{self, Conditions};
use actix_web::dev::Payload;
use actix_web::{HttpRequest, HttpResponse};
use tertulia_application::files::{FileService, OpenFile, Upload, UploadError};
use tertulia_domain::{Caller, File, FileId, PublicKey};

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![Endpoint::new("/uploads/{key}/{name}").get(show)]
}

/// Where a file is. Whoever knows that may read it, if the file was uploaded to be shown so; any other file (one from the
/// native API) is read there with the token of somebody who may.
pub(crate) fn address(file: &File) -> String {
    let name = percent_encoded(file.name.as_str());
    match &file.public_key {
        Some(key) => format!("/uploads/{}/{name}", key.as_str()),
        None => format!("/uploads/{}/{name}", file.id),
    }
}

/// The file at an address.
pub(crate) struct Addressed(OpenFile);

impl Extract for Addressed {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        let state = State::extract(request, payload).await?;
        let files = &state.services.files;
        // An id has the form of a key as well, but no key has that of an id: keys are longer.
        let Ok(Path(id)) = Path::<FileId>::extract(request, payload).await else {
            let Path(key) = Path::<PublicKey>::extract(request, payload).await?;
            return Ok(Self(files.open_public(&key).await?));
        };
        let Authenticated(caller, _) = Authenticated::<Read>::extract(request, payload).await?;
        Ok(Self(files.open(caller, id).await?))
    }
}

/// Get a file
///
/// For whoever knows the key in its address. Where the file's id stands in the place of a key, a token is needed.
#[utoipa::path(
    get,
    path = "/uploads/{key}/{name}",
    tag = "files",
    operation_id = "get_file",
    security(()),
    params(
        ("key" = String, Path, description = "The key, or the id"),
        ("name" = String, Path, description = "The file's name; whatever stands here is taken")
    ),
    responses(
        (status = 200, description = "The bytes", body = String, content_type = "application/octet-stream"),
        (status = 206, description = "Some of them", body = String, content_type = "application/octet-stream"),
        (status = 304, description = "They are what the client has"),
        Unauthorized,
        Forbidden,
        NotFound,
        RangeNotSatisfiable,
        Unavailable
    )
)]
pub(crate) async fn show(
    state: State,
    Addressed(open): Addressed,
    conditions: Conditions,
) -> Result<HttpResponse, Problem> {
    serve::file(&state.services.files, &open, &conditions).await
}

/// The file of a form that may have one. It is kept when everything else is known to be right, and gets an address that
/// whoever knows it may read.
#[derive(Default)]
pub(crate) struct Incoming<'a> {
    upload: Option<Upload<'a>>,
    named: bool,
}

impl<'a> Incoming<'a> {
    /// Takes the file of a part.
    pub(crate) async fn take(
        &mut self,
        files: &'a FileService,
        caller: Caller,
        part: &mut Part,
    ) -> Result<(), Problem> {
        if self.upload.is_some() {
            let problem = Problem::new(Kind::Invalid, "Only one file can be given.");
            return Err(problem.on(part.name.clone(), FieldCode::Invalid, "only one file can be given"));
        }
        self.named = part.filename().is_some_and(|name| !name.is_empty());
        let upload = files.begin_upload(caller, part.file_name(), true).await?;
        part.write_to(self.upload.insert(upload), None).await
    }

    /// Keeps the file, if there is one. What browsers send where none was chosen is none: no bytes without a name.
    pub(crate) async fn finish(self) -> Result<Option<File>, Problem> {
        let Some(upload) = self.upload else { return Ok(None) };
        match upload.finish().await {
            Ok(file) => Ok(Some(file)),
            Err(UploadError::Empty) if !self.named => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Drops it.
    pub(crate) async fn abort(self) {
        if let Some(upload) = self.upload {
            upload.abort().await;
        }
    }
}
