//! The database file: who may read it, and how SQLite is told its name.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::{Path, absolute};
use thiserror::Error;

/// Why there is no file to open.
#[derive(Debug, Error)]
pub(crate) enum FileError {
    /// The folder is missing and can't be made.
    #[error("the folder {0:?} can't be made")]
    Folder(String, #[source] io::Error),
    /// The file can't be made, read or written.
    #[error("the file {0:?} can't be opened")]
    File(String, #[source] io::Error),
    /// SQLite takes names in UTF-8.
    #[error("the path {0:?} is not valid UTF-8")]
    NotUtf8(String),
}

/// Makes sure that the file is there, and gives the name by which SQLite opens it.
///
/// What is made can be read by its owner alone; SQLite gives the files that it puts beside it the same mode.
pub(crate) fn ensure(path: &Path) -> Result<String, FileError> {
    let shown = || path.display().to_string();
    // An absolute path can't be mistaken for a URI or for one of SQLite's special names.
    let path = absolute(path).map_err(|error| FileError::File(shown(), error))?;
    if let Some(folder) = path.parent() {
        make_folder(folder).map_err(|error| FileError::Folder(folder.display().to_string(), error))?;
    }
    make_file(&path).map_err(|error| FileError::File(shown(), error))?;
    match path.to_str() {
        Some(name) => Ok(name.to_owned()),
        None => Err(FileError::NotUtf8(shown())),
    }
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

fn make_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
