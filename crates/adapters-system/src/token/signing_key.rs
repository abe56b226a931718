//! The process's private key, and the file that keeps it.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::EncodingKey;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::Builder;
use tertulia_domain::Timestamp;
use tertulia_domain::repository::VerificationKey;
use thiserror::Error;

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// Bytes of the public key's hash that name it: enough that no two keys ever share a name.
const KID_BYTES: usize = 16;

/// An Ed25519 key pair (RFC 8032).
pub struct SigningKey {
    encoding_key: EncodingKey,
    public: [u8; 32],
    kid: String,
}

/// Why there is no signing key.
#[derive(Debug, Error)]
pub enum SigningKeyError {
    /// The file can't be read.
    #[error("cannot read the signing key {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file can't be made.
    #[error("cannot write the signing key {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others than its owner may read or change the file.
    #[error(
        "the signing key {} is accessible to others (mode {mode:04o}): whoever read it can sign tokens; make it private with \
         `chmod 600`, or delete it to have a new one made",
        path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else.
    #[error(
        "the signing key {} is not an Ed25519 private key in PKCS#8 PEM form; delete it to have a new one made",
        path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The cryptographic library gave up.
    #[error("cannot make a signing key")]
    Generate,
}

impl SigningKey {
    /// The file in the data directory.
    pub const FILE: &str = "signing-key.pem";

    /// Reads the key from [`SigningKey::FILE`] in `directory`, making it if there is none. Of any number of processes that do
    /// this at once, one makes the key and all get the same.
    ///
    /// Deleting the file and restarting rotates the key: tokens signed with the old one stay good until they expire.
    pub fn load_or_create(directory: &Path) -> Result<Self, SigningKeyError> {
        let path = directory.join(Self::FILE);
        if let Some(key) = Self::load(&path)? {
            return Ok(key);
        }
        let key = Self::generate()?;
        match store(directory, &path, key.encoding_key.as_bytes()) {
            Ok(()) => Ok(key),
            // Another process was quicker.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                Self::load(&path)?.ok_or(SigningKeyError::Write { path, source: error })
            }
            Err(source) => Err(SigningKeyError::Write { path, source }),
        }
    }

    /// Makes a key that is kept nowhere.
    pub fn generate() -> Result<Self, SigningKeyError> {
        let pair = Ed25519KeyPair::generate().map_err(|_| SigningKeyError::Generate)?;
        let der = pair.to_pkcs8v1().map_err(|_| SigningKeyError::Generate)?;
        Ok(Self::new(&pair, der.as_ref()))
    }

    /// Names the key in the header of its tokens.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    pub(super) fn public(&self) -> [u8; 32] {
        self.public
    }

    pub(super) fn encoding_key(&self) -> &EncodingKey {
        &self.encoding_key
    }

    pub(super) fn verification_key(&self, created_at: Timestamp) -> VerificationKey {
        VerificationKey {
            kid: self.kid.clone(),
            public: self.public,
            created_at,
        }
    }

    fn load(path: &Path) -> Result<Option<Self>, SigningKeyError> {
        let failed = |source| SigningKeyError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if let Some(mode) = exposed(&file.metadata().map_err(failed)?) {
            return Err(SigningKeyError::Exposed {
                path: path.to_owned(),
                mode,
            });
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let key = Self::from_pem(&text);
        key.map(Some)
            .ok_or_else(|| SigningKeyError::Malformed { path: path.to_owned() })
    }

    fn from_pem(text: &str) -> Option<Self> {
        let encoded = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
        let der = STANDARD.decode(encoded.split_whitespace().collect::<String>()).ok()?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).ok()?;
        Some(Self::new(&pair, &der))
    }

    fn new(pair: &Ed25519KeyPair, pkcs8: &[u8]) -> Self {
        let mut public = [0; 32];
        public.copy_from_slice(pair.public_key().as_ref());
        let hash = digest(&SHA256, &public);
        let name = hash.as_ref().get(..KID_BYTES).unwrap_or_default();
        Self {
            encoding_key: EncodingKey::from_ed_der(pkcs8),
            public,
            kid: URL_SAFE_NO_PAD.encode(name),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// Writes the file whole and for good, or not at all; [`ErrorKind::AlreadyExists`] if there is one.
fn store(directory: &Path, path: &Path, der: &[u8]) -> io::Result<()> {
    // Made for its owner alone, and known by its name only once it is complete and on the disk.
    let mut file = Builder::new().prefix(".signing-key-").tempfile_in(directory)?;
    writeln!(file, "{BEGIN}\n{}\n{END}", STANDARD.encode(der))?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    sync_directory(directory)
}

#[cfg(unix)]
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The permission bits of a file that others than its owner may use.
#[cfg(unix)]
fn exposed(file: &Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.permissions().mode() & 0o7777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn exposed(_: &Metadata) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::thread;

    #[test]
    fn a_key_is_made_once_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let made = SigningKey::load_or_create(directory.path()).unwrap();
        let read = SigningKey::load_or_create(directory.path()).unwrap();
        assert_eq!((made.kid(), made.public), (read.kid(), read.public));
        assert_eq!(made.encoding_key.as_bytes(), read.encoding_key.as_bytes());
        let files: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(files, [SigningKey::FILE], "nothing else is left");
    }

    #[test]
    fn of_many_at_once_one_makes_the_key() {
        let directory = tempfile::tempdir().unwrap();
        let kids: Vec<String> = thread::scope(|scope| {
            let started: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| SigningKey::load_or_create(directory.path()).unwrap().kid))
                .collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(kids.iter().all(|kid| *kid == kids[0]), "{kids:?}");
    }

    #[test]
    fn two_directories_have_two_keys() {
        let make = || SigningKey::load_or_create(tempfile::tempdir().unwrap().path()).unwrap();
        assert_ne!(make().kid(), make().kid());
    }

    #[test]
    fn openssls_form_is_read() {
        // openssl genpkey -algorithm ed25519
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIDQeXk0hRcjzkGUDN2oIgCEhG4gF+lBdBJrQ0tYF6vNS\n-----END PRIVATE KEY-----\n";
        assert!(SigningKey::from_pem(pem).is_some());
        assert!(SigningKey::from_pem(&pem.replace('\n', "\r\n")).is_some());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "secret",
            "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        ] {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join(SigningKey::FILE);
            let mut file = Builder::new().tempfile_in(directory.path()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file.persist(&path).unwrap();
            let refused = SigningKey::load_or_create(directory.path()).unwrap_err();
            assert!(matches!(refused, SigningKeyError::Malformed { .. }), "{refused}");
            assert!(refused.to_string().contains("signing-key.pem"), "{refused}");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let refused = SigningKey::load_or_create(Path::new("/nowhere/at/all")).unwrap_err();
        assert!(matches!(refused, SigningKeyError::Write { .. }));
        assert!(
            refused.to_string().contains("/nowhere/at/all/signing-key.pem"),
            "{refused}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        SigningKey::load_or_create(directory.path()).unwrap();
        let path = directory.path().join(SigningKey::FILE);
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);

        for (loose, accepted) in [(0o640, false), (0o604, false), (0o644, false), (0o400, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(loose)).unwrap();
            let outcome = SigningKey::load_or_create(directory.path());
            assert_eq!(outcome.is_ok(), accepted, "{loose:o}");
            if let Err(refused) = outcome {
                assert!(matches!(refused, SigningKeyError::Exposed { mode, .. } if mode == loose));
                assert!(refused.to_string().contains("chmod 600"), "{refused}");
            }
        }
    }
}
