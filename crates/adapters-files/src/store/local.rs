use super::error;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tertulia_application::ports::StoreError;

/// The folder of the local store.
#[derive(Debug, Clone)]
pub(super) struct Folder(Arc<LocalFileSystem>);

impl Folder {
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        create(folder).map_err(error::of_io)?;
        let files = LocalFileSystem::new_with_prefix(folder).map_err(error::of_writing)?;
        Ok(Self(Arc::new(files.with_fsync(true))))
    }

    pub(super) fn objects(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.0) as Arc<dyn ObjectStore>
    }

    /// Removes what a writer has left that was killed, or whose last step failed.
    pub(super) async fn remove_unfinished(&self, object: &ObjectPath) -> Result<(), StoreError> {
        let path = self.unfinished(object)?;
        let removed = tokio::task::spawn_blocking(move || fs::remove_file(path)).await;
        match removed.map_err(|error| StoreError::Failed(error.into()))? {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error::of_io(error)),
            _ => Ok(()),
        }
    }

    /// Where an object is written before it is renamed: `object_store` adds `#` and the number of the attempt, which is
    /// the first for a key that is used once.
    fn unfinished(&self, object: &ObjectPath) -> Result<PathBuf, StoreError> {
        let mut path = self
            .0
            .path_to_filesystem(object)
            .map_err(error::of_writing)?
            .into_os_string();
        path.push("#1");
        Ok(path.into())
    }
}

/// Makes a folder that others can't look into.
fn create(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    sync_parent(folder)
}

/// Makes the name of a new folder durable.
#[cfg(unix)]
fn sync_parent(folder: &Path) -> io::Result<()> {
    let parent = folder.parent().filter(|parent| *parent != Path::new(""));
    fs::File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// Elsewhere a folder is no file.
#[cfg(not(unix))]
fn sync_parent(_folder: &Path) -> io::Result<()> {
    Ok(())
}
