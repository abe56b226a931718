//! What is shown of files, as the `*_view` columns hold it.

use tertulia_domain::File;
use tertulia_sql_support::{FileJsonError, file_from_json, file_to_json, files_from_json, files_to_json};

/// What stands beside the identifier of a file.
pub(crate) fn to_view(file: &File) -> String {
    file_to_json(file).to_string()
}

/// The file of such a column.
pub(crate) fn from_view(view: &str) -> Result<File, FileJsonError> {
    file_from_json(serde_json::from_str(view)?)
}

/// What stands in a message with these files; nothing where there are none.
pub(crate) fn all_to_view(files: &[File]) -> Option<String> {
    (!files.is_empty()).then(|| files_to_json(files).to_string())
}

/// The files of a message.
pub(crate) fn all_from_view(view: &str) -> Result<Vec<File>, FileJsonError> {
    files_from_json(serde_json::from_str(view)?)
}
