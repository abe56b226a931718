//! Files as JSON: what is shown of a file is kept with whatever shows it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tertulia_domain::{Dimensions, File, FileId, FileName, MediaType, PublicKey};
use thiserror::Error;

/// What is shown of a file. In JSON an object of these fields.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FileView {
    id: String,
    name: String,
    media_type: String,
    size: u64,
    #[serde(default)]
    width: Option<u32>,
    #[serde(default)]
    height: Option<u32>,
    #[serde(default)]
    public_key: Option<String>,
}

/// Why a stored JSON value is no file.
#[derive(Debug, Error)]
pub enum FileJsonError {
    /// It has not the form of one.
    #[error(transparent)]
    Form(#[from] serde_json::Error),
    /// The domain refuses a field of it.
    #[error("the file's field {0:?} is none that files have")]
    Refused(&'static str),
}

impl From<&File> for FileView {
    fn from(file: &File) -> Self {
        Self {
            id: file.id.to_string(),
            name: file.name.as_str().to_owned(),
            media_type: file.media_type.as_str().to_owned(),
            size: file.size,
            width: file.dimensions.map(|dimensions| dimensions.width),
            height: file.dimensions.map(|dimensions| dimensions.height),
            public_key: file.public_key.as_ref().map(|key| key.as_str().to_owned()),
        }
    }
}

impl TryFrom<FileView> for File {
    type Error = FileJsonError;

    fn try_from(view: FileView) -> Result<Self, FileJsonError> {
        let refused = FileJsonError::Refused;
        let public_key = view.public_key.as_deref().map(PublicKey::new).transpose();
        Ok(Self {
            id: FileId::parse(&view.id).ok_or(refused("id"))?,
            name: FileName::restore(view.name).map_err(|_| refused("name"))?,
            media_type: MediaType::new(&view.media_type).map_err(|_| refused("media_type"))?,
            size: view.size,
            dimensions: match (view.width, view.height) {
                (Some(width), Some(height)) => Some(Dimensions { width, height }),
                (None, None) => None,
                _ => return Err(refused("height")),
            },
            public_key: public_key.map_err(|_| refused("public_key"))?,
        })
    }
}

/// The JSON object that stands for a file: `id`, `name`, `media_type`, `size`, and `width`, `height` and `public_key`,
/// each of which may be null.
pub fn file_to_json(file: &File) -> Value {
    let view = FileView::from(file);
    serde_json::json!({
        "id": view.id,
        "name": view.name,
        "media_type": view.media_type,
        "size": view.size,
        "width": view.width,
        "height": view.height,
        "public_key": view.public_key,
    })
}

/// The file that a JSON object stands for.
pub fn file_from_json(json: Value) -> Result<File, FileJsonError> {
    serde_json::from_value::<FileView>(json)?.try_into()
}

/// The JSON array that stands for some files.
pub fn files_to_json(files: &[File]) -> Value {
    Value::Array(files.iter().map(file_to_json).collect())
}

/// The files that a JSON array stands for.
pub fn files_from_json(json: Value) -> Result<Vec<File>, FileJsonError> {
    serde_json::from_value::<Vec<FileView>>(json)?
        .into_iter()
        .map(File::try_from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn file(image: bool) -> File {
        File {
            id: FileId::parse("01900000-0000-7000-8000-000000000001").unwrap(),
            name: FileName::sanitise("año \"1\".png"),
            media_type: MediaType::new("image/png").unwrap(),
            size: 26_214_400,
            dimensions: image.then_some(Dimensions {
                width: 640,
                height: 480,
            }),
            public_key: image.then(|| PublicKey::new("abcdefghijklmnopqrstuv").unwrap()),
        }
    }

    #[test]
    fn a_file_survives() {
        let files = vec![file(true), file(false)];
        for file in &files {
            assert_eq!(&file_from_json(file_to_json(file)).unwrap(), file);
        }
        assert_eq!(files_from_json(files_to_json(&files)).unwrap(), files);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        assert!(matches!(file_from_json(json!([])), Err(FileJsonError::Form(_))));
        for (field, value) in [
            ("id", json!("x")),
            ("name", json!("a/b")),
            ("media_type", json!("image")),
            ("height", json!(null)),
            ("public_key", json!("short")),
        ] {
            let mut json = file_to_json(&file(true));
            json[field] = value;
            assert!(matches!(file_from_json(json), Err(FileJsonError::Refused(named)) if named == field));
        }
    }
}
