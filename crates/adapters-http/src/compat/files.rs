//! Files that come in the forms of contracts.

use crate::extract::Part;
use crate::problem::{FieldCode, Kind, Problem};
use tertulia_application::files::{FileService, Upload, UploadError};
use tertulia_domain::{Caller, File};

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
