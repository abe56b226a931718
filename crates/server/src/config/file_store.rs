use super::{ConfigError, Secret, Settings, WebUrl};
use std::env;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Where the bytes of files are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum FileStoreUrl {
    /// `local`: the folder `files` in the data folder.
    #[default]
    Local,
    /// `s3://BUCKET/PREFIX`: a bucket that speaks S3.
    S3 {
        /// The bucket; it has to exist.
        bucket: String,
        /// What all keys begin with; may be empty.
        prefix: String,
    },
}

/// A text that names no file store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 'local' or s3://BUCKET or s3://BUCKET/PREFIX")]
pub struct FileStoreUrlError;

impl FromStr for FileStoreUrl {
    type Err = FileStoreUrlError;

    fn from_str(text: &str) -> Result<Self, FileStoreUrlError> {
        if text == "local" {
            return Ok(Self::Local);
        }
        let place = text.strip_prefix("s3://").ok_or(FileStoreUrlError)?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = prefix.trim_end_matches('/');
        let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let segment = |part: &str| !part.is_empty() && part != "." && part != ".." && part.chars().all(known);
        if !segment(bucket) || !(prefix.is_empty() || prefix.split('/').all(segment)) {
            return Err(FileStoreUrlError);
        }
        Ok(Self::S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }
}

impl fmt::Display for FileStoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

/// Where files are kept, and how to get in.
#[derive(Debug, Clone)]
pub struct FileStoreConfig {
    /// Where.
    pub place: FileStoreUrl,
    /// The server that has the bucket, if it isn't Amazon's.
    pub endpoint: Option<WebUrl>,
    /// The bucket's region.
    pub region: String,
    /// The access key; without it comes from where Amazon's tools look.
    pub key: Option<(String, Secret)>,
}

impl FileStoreConfig {
    pub(super) fn resolve(settings: &Settings) -> Result<Self, ConfigError> {
        let region = settings.s3_region.clone().or_else(|| env::var("AWS_REGION").ok());
        let key = match (&settings.s3_access_key_id, &settings.s3_secret_access_key) {
            (Some(id), Some(secret)) => Some((id.clone(), secret.clone())),
            (None, None) => None,
            _ => return Err(ConfigError::HalfAKey),
        };
        Ok(Self {
            place: settings.file_store.clone().unwrap_or_default(),
            endpoint: settings.s3_endpoint.clone(),
            region: region.unwrap_or_else(|| "us-east-1".to_owned()),
            key,
        })
    }
}

/// As lines of a configuration file, without the secret.
impl fmt::Display for FileStoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "file_store = \"{}\"", self.place)?;
        if let Some(endpoint) = &self.endpoint {
            writeln!(f, "s3_endpoint = \"{endpoint}\"")?;
        }
        writeln!(f, "s3_region = {:?}", self.region)?;
        match &self.key {
            // Half a key would be an error.
            Some((id, _)) => writeln!(f, "# s3_access_key_id = {id:?}, whose secret is not shown"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores() {
        for text in ["local", "s3://chat", "s3://chat/files", "s3://my.chat-1/a/b_c"] {
            assert_eq!(text.parse::<FileStoreUrl>().unwrap().to_string(), text);
        }
        assert_eq!(
            "s3://chat/files/".parse::<FileStoreUrl>().unwrap().to_string(),
            "s3://chat/files"
        );
        for bad in [
            "",
            "files",
            "s3://",
            "s3:///files",
            "s3://chat//x",
            "s3://chat/../x",
            "s3://ana@chat",
            "file:///x",
        ] {
            assert_eq!(bad.parse::<FileStoreUrl>(), Err(FileStoreUrlError), "{bad}");
        }
    }
}
