use crate::message::{Sender, compose};
use async_trait::async_trait;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tertulia_application::ports::{MailError, Mailer};
use tertulia_domain::Mail;

/// Writes mails into a folder, for want of a mail server: one file `ID.eml` a mail, which mail programs open.
///
/// A file is complete and on disk before the mail counts as sent, and for this user alone (mode 0600). For each, a line in
/// the log says where it is.
#[derive(Debug, Clone)]
pub struct EmlMailer {
    folder: PathBuf,
    sender: Sender,
}

impl EmlMailer {
    /// Writes into a folder, which is made with the first mail, for this user alone (mode 0700).
    pub fn new(folder: PathBuf, sender: Sender) -> Self {
        Self { folder, sender }
    }
}

#[async_trait]
impl Mailer for EmlMailer {
    /// The same mail twice is one file. Failures pass: a disk that is full may have room again.
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let message = compose(&self.sender, mail)?.formatted();
        let (folder, name) = (self.folder.clone(), format!("{}.eml", mail.id));
        let writing = tokio::task::spawn_blocking(move || write(&folder, &name, &message)).await;
        let path = writing
            .map_err(|error| MailError::Transient(error.into()))?
            .map_err(|error| MailError::Transient(error.into()))?;
        tracing::warn!(
            to = mail.to.as_str(),
            file = %path.display(),
            "no mail server is configured; the mail is in a file"
        );
        Ok(())
    }
}

/// Writes a file under a temporary name, and renames it when its bytes are on disk.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    create_folder(folder)?;
    let (path, unfinished) = (folder.join(name), folder.join(format!(".{name}.part")));
    let written = create_file(&unfinished)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&unfinished, &path));
    if let Err(error) = written {
        // There is nothing to be done if that fails, too.
        drop(fs::remove_file(&unfinished));
        return Err(error);
    }
    sync_folder(folder)?;
    Ok(path)
}

fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn create_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the names in a folder durable.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder is no file.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
