use super::Extract;
use super::idempotency::Fingerprinting;
use super::payload::{PATIENCE, announced, malformed};
use crate::problem::{FieldCode, Kind, Problem};
use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_TYPE, DispositionParam};
use actix_web::rt::time::timeout;
use actix_web::web::Bytes;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tertulia_application::files::{FileService, Upload};
use tertulia_domain::{Caller, File, FileName};

/// Parts of a body at the most: a message's files, its text, what it answers, and some that nobody asked for.
const MAX_PARTS: usize = File::MAX_PER_MESSAGE + 6;

/// Bytes of a text part at the most: those of the longest message, and some.
const MAX_TEXT: usize = 64 * 1024;

/// Bytes that a body has besides its files at the most, where its size is announced.
const MAX_AROUND: u64 = 1024 * 1024;

/// A `multipart/form-data` body (RFC 7578), part by part, as it comes in: nothing is collected but the head of a part,
/// which may have 64 KiB.
///
/// Who stops reading early may just answer: the server then closes the connection in such a way that the client sees
/// the answer.
pub(crate) struct Parts {
    multipart: Multipart,
    left: usize,
    announced: Option<u64>,
    /// What a retry is recognised by, if the client cares.
    pub(crate) retry: Option<Fingerprinting>,
}

/// One part.
pub(crate) struct Part {
    /// The field of the form.
    pub(crate) name: String,
    filename: Option<String>,
    field: Field,
}

/// The file that a body is to have.
#[derive(Clone, Copy)]
struct Wanted {
    /// The field of the form.
    name: &'static str,
    /// Whether it gets a public address.
    public: bool,
}

impl Extract for Parts {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        if !is_form(request) {
            return Err(Problem::new(
                Kind::UnsupportedMediaType,
                "Send the body as Content-Type: multipart/form-data.",
            ));
        }
        Ok(Self {
            multipart: Multipart::new(request.headers(), payload.take()),
            left: MAX_PARTS,
            announced: announced(request),
            retry: None,
        })
    }
}

/// The same of a request whose retries are recognised.
pub(crate) struct RetryableParts(pub(crate) Parts);

impl Extract for RetryableParts {
    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        Parts::retryable(request, payload).await.map(Self)
    }
}

/// Whether the body claims to be a form in parts.
pub(crate) fn is_form(request: &HttpRequest) -> bool {
    let media_type = request.headers().get(CONTENT_TYPE);
    let essence = media_type.and_then(|value| value.to_str().ok()?.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("multipart/form-data"))
}

impl Parts {
    /// Of a request whose retries are recognised.
    pub(crate) async fn retryable(request: &HttpRequest, payload: &mut Payload) -> Result<Self, Problem> {
        let retry = Fingerprinting::of(request)?;
        let parts = Self::extract(request, payload).await?;
        Ok(Self { retry, ..parts })
    }

    /// The next part; the one before must have been read.
    pub(crate) async fn next(&mut self) -> Result<Option<Part>, Problem> {
        let Some(field) = within_patience(self.multipart.next()).await? else {
            return Ok(None);
        };
        let field = field.map_err(broken)?;
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| malformed(format!("The body must have at most {MAX_PARTS} parts.")))?;
        Ok(Some(Part {
            name: field.name().unwrap_or_default().to_owned(),
            filename: filename(&field),
            field,
        }))
    }

    /// Takes the body's one file, in the part of that name, and keeps it at a public address.
    pub(crate) async fn upload_public(
        &mut self,
        name: &'static str,
        files: &FileService,
        caller: Caller,
    ) -> Result<File, Problem> {
        let wanted = Wanted { name, public: true };
        Ok(self.receive_as(wanted, files, caller).await?.finish().await?)
    }

    /// Takes the body's one file and keeps it.
    pub(crate) async fn upload(&mut self, files: &FileService, caller: Caller) -> Result<File, Problem> {
        Ok(self.receive(files, caller).await?.finish().await?)
    }

    /// Takes the body's one file.
    pub(crate) async fn receive<'a>(&mut self, files: &'a FileService, caller: Caller) -> Result<Upload<'a>, Problem> {
        let wanted = Wanted {
            name: "file",
            public: false,
        };
        self.receive_as(wanted, files, caller).await
    }

    async fn receive_as<'a>(
        &mut self,
        wanted: Wanted,
        files: &'a FileService,
        caller: Caller,
    ) -> Result<Upload<'a>, Problem> {
        self.expect_files(1, files)?;
        let mut upload = None;
        match self.fill(wanted, files, caller, &mut upload).await {
            Ok(()) => upload.ok_or_else(|| missing(wanted.name)),
            Err(problem) => {
                if let Some(upload) = upload {
                    upload.abort().await;
                }
                Err(problem)
            }
        }
    }

    async fn fill<'a>(
        &mut self,
        wanted: Wanted,
        files: &'a FileService,
        caller: Caller,
        upload: &mut Option<Upload<'a>>,
    ) -> Result<(), Problem> {
        while let Some(mut part) = self.next().await? {
            if part.name != wanted.name {
                // So large a part was meant to be the file.
                part.skip().await.map_err(|problem| match problem.kind() {
                    Kind::PayloadTooLarge => missing(wanted.name),
                    _ => problem,
                })?;
            } else if upload.is_some() {
                return Err(invalid_file(
                    wanted.name,
                    FieldCode::Invalid,
                    "only one file can be given",
                ));
            } else {
                let upload = upload.insert(files.begin_upload(caller, part.file_name(), wanted.public).await?);
                let mut hash = self.retry.is_some().then(Sha256::new);
                part.write_to(upload, hash.as_mut()).await?;
                if let Some((retry, hash)) = self.retry.as_mut().zip(hash) {
                    retry.add(&part.name, part.filename(), hash.finalize().into());
                }
            }
        }
        Ok(())
    }

    /// Refuses a body at once that says it is larger than so many files could be.
    pub(crate) fn expect_files(&self, count: usize, files: &FileService) -> Result<(), Problem> {
        let max = files.policy().max_bytes;
        let most = max.saturating_mul(count as u64).saturating_add(MAX_AROUND);
        if self.announced.is_some_and(|announced| announced > most) {
            return Err(Problem::new(
                Kind::PayloadTooLarge,
                format!("A file must have at most {max} bytes."),
            ));
        }
        Ok(())
    }
}

impl Part {
    /// What the file is to be called.
    pub(crate) fn file_name(&self) -> FileName {
        FileName::sanitise(self.filename.as_deref().unwrap_or_default())
    }

    /// A file's name as the client gave it.
    pub(crate) fn filename(&self) -> Option<&str> {
        self.filename.as_deref()
    }

    /// Sends the part's bytes on as they come, through the hash if there is one.
    pub(crate) async fn write_to(
        &mut self,
        upload: &mut Upload<'_>,
        mut hash: Option<&mut Sha256>,
    ) -> Result<(), Problem> {
        while let Some(bytes) = self.chunk().await? {
            if let Some(hash) = &mut hash {
                hash.update(&bytes);
            }
            upload.write(bytes).await?;
        }
        Ok(())
    }

    /// The part as a text.
    pub(crate) async fn text(&mut self) -> Result<String, Problem> {
        let mut text = Vec::new();
        while let Some(bytes) = self.chunk().await? {
            text.extend_from_slice(&bytes);
            if text.len() > MAX_TEXT {
                return Err(too_large());
            }
        }
        String::from_utf8(text).map_err(|_| malformed(format!("The part '{}' is not UTF-8.", self.name)))
    }

    /// Passes over a part that nobody asked for, if it isn't too large for that.
    pub(crate) async fn skip(&mut self) -> Result<(), Problem> {
        let mut left = MAX_TEXT;
        while let Some(bytes) = self.chunk().await? {
            left = left.checked_sub(bytes.len()).ok_or_else(too_large)?;
        }
        Ok(())
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        within_patience(self.field.next()).await?.transpose().map_err(broken)
    }
}

/// Waits no longer for the next bytes than for a whole body of another kind.
async fn within_patience<T>(next: impl Future<Output = T>) -> Result<T, Problem> {
    let late = |_| malformed("The body did not arrive in time.");
    timeout(PATIENCE, next).await.map_err(late)
}

/// The name that the client gave: the extended one (RFC 5987) before the plain one.
fn filename(field: &Field) -> Option<String> {
    let parameters = &field.content_disposition()?.parameters;
    let extended = parameters.iter().find_map(|parameter| match parameter {
        DispositionParam::FilenameExt(name) => String::from_utf8(name.value.clone()).ok(),
        _ => None,
    });
    let plain = || {
        parameters
            .iter()
            .find_map(DispositionParam::as_filename)
            .map(str::to_owned)
    };
    extended.or_else(plain)
}

fn missing(name: &'static str) -> Problem {
    invalid_file(name, FieldCode::Required, "must be given, as a part of that name")
}

fn invalid_file(name: &'static str, code: FieldCode, message: &'static str) -> Problem {
    Problem::new(Kind::Invalid, "The file is invalid; see errors.").on(name, code, message)
}

fn too_large() -> Problem {
    Problem::new(
        Kind::PayloadTooLarge,
        format!("A part that is no file must have at most {MAX_TEXT} bytes."),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "the form that map_err takes")]
fn broken(error: MultipartError) -> Problem {
    malformed(format!("The body is not well-formed multipart/form-data: {error}."))
}
