//! Where files and mails go, and how other processes are told.

use crate::config::{Config, FileStoreConfig, FileStoreUrl, MailConfig, NatsUrl, WebUrl};
use crate::errors::chain;
use anyhow::Context;
use async_trait::async_trait;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tertulia_adapters_events::{NatsEventBus, NatsOptions, NoEventBus};
use tertulia_adapters_files::{FileFormats, ObjectFileStore, S3Credentials, S3Options};
use tertulia_adapters_mail::{EmlMailer, Sender, SmtpCredentials, SmtpMailer, SmtpOptions};
use tertulia_adapters_system::UuidV7Generator;
use tertulia_application::ports::{
    ByteStream, EventBus, FileStore, IdGenerator, ImageInspector, MailError, Mailer, ObjectWriter, StoreError,
};
use tertulia_domain::{Mail, ObjectKey};

/// How long handing over one mail may take. Twenty of them, which is what is taken at once, stay below the time for which
/// nobody else gets them.
const MAIL_LIMIT: Duration = Duration::from_secs(30);

/// The file store, the file formats, the mail and the bus.
pub(crate) struct Outside {
    pub(crate) store: Arc<dyn FileStore>,
    pub(crate) images: Arc<dyn ImageInspector>,
    pub(crate) mailer: Arc<dyn Mailer>,
    pub(crate) bus: Arc<dyn EventBus>,
}

impl Outside {
    /// Opens what the settings name. A store or a bus that can't be used for now is no reason not to start.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let place = &config.files.place;
        let store = open_store(&config.files, &config.data_dir)
            .with_context(|| format!("cannot use the file store {place} (another one: --file-store)"))?;
        match store.check().await {
            Ok(()) => {}
            Err(error @ StoreError::Unavailable(_)) => {
                tracing::error!(store = %place, error = chain(&error), "cannot write files for now");
            }
            Err(error) => {
                let reason = format!("cannot use the file store {place} (another one: --file-store)");
                return Err(anyhow::Error::new(error).context(reason));
            }
        }
        Ok(Self {
            store: Arc::new(store),
            images: start_formats()?,
            mailer: open_mailer(&config.mail, &config.data_dir)?,
            bus: open_bus(config.nats.as_ref()).await?,
        })
    }

    /// For work that has to do with none of them: nothing is opened, and every attempt fails.
    pub(crate) fn absent() -> anyhow::Result<Self> {
        Ok(Self {
            store: Arc::new(Absent),
            images: start_formats()?,
            mailer: Arc::new(Absent),
            bus: Arc::new(NoEventBus),
        })
    }
}

fn start_formats() -> anyhow::Result<Arc<FileFormats>> {
    let formats = FileFormats::start().context("cannot start a thread that makes thumbnails")?;
    Ok(Arc::new(formats))
}

fn open_store(config: &FileStoreConfig, data_dir: &Path) -> Result<ObjectFileStore, StoreError> {
    let FileStoreUrl::S3 { bucket, prefix } = &config.place else {
        return ObjectFileStore::local(&data_dir.join("files"));
    };
    let credentials = config.key.as_ref().map(|(id, secret)| S3Credentials {
        access_key: id.clone(),
        secret_key: secret.expose().to_owned(),
    });
    ObjectFileStore::s3(&S3Options {
        bucket: bucket.clone(),
        region: config.region.clone(),
        endpoint: config.endpoint.as_ref().map(|url| url.as_str().to_owned()),
        credentials,
        allow_http: config.endpoint.as_ref().is_some_and(WebUrl::is_plain),
        path_style: config.endpoint.is_some(),
        prefix: prefix.clone(),
    })
}

fn open_mailer(config: &MailConfig, data_dir: &Path) -> anyhow::Result<Arc<dyn Mailer>> {
    let from = &config.from;
    let sender = Sender::new(&from.address, from.name.as_ref())
        .with_context(|| format!("no mail can come from {from} (another sender: --mail-from)"))?;
    let Some(server) = &config.server else {
        let folder = data_dir.join("outbox");
        tracing::info!(folder = %folder.display(), "there is no mail server (--smtp-url): mails become files");
        return Ok(Arc::new(EmlMailer::new(folder, sender)));
    };
    let authority = config.authority.as_deref().map(|path| {
        fs::read(path).with_context(|| format!("cannot read the certificate {} (--smtp-ca)", path.display()))
    });
    let credentials = server.credentials.as_ref().map(|(user, password)| SmtpCredentials {
        user: user.clone(),
        password: password.clone(),
    });
    let options = SmtpOptions {
        host: server.host.clone(),
        port: server.port,
        encryption: server.encryption,
        credentials,
        root_certificates: authority.transpose()?,
        timeout: MAIL_LIMIT,
    };
    let mailer = SmtpMailer::new(options, sender);
    let mailer = mailer.with_context(|| format!("cannot send mail through {server} (--smtp-url, --smtp-ca)"))?;
    Ok(Arc::new(mailer))
}

async fn open_bus(url: Option<&NatsUrl>) -> anyhow::Result<Arc<dyn EventBus>> {
    let Some(url) = url else {
        return Ok(Arc::new(NoEventBus));
    };
    let bus = NatsEventBus::start(NatsOptions {
        host: url.host.clone(),
        port: url.port,
        tls: url.tls,
        credentials: url.credentials.clone(),
        subject: url.subject.clone(),
        node: UuidV7Generator.next(),
    });
    let bus = bus
        .await
        .with_context(|| format!("cannot use the NATS server {url} (--nats-url)"))?;
    Ok(Arc::new(bus))
}

/// Neither store nor mail server.
struct Absent;

const ABSENT: &str = "a command has neither files nor mail";

#[async_trait]
impl FileStore for Absent {
    async fn create(&self, _: &ObjectKey) -> Result<Box<dyn ObjectWriter>, StoreError> {
        Err(StoreError::Failed(ABSENT.into()))
    }

    async fn read(&self, _: &ObjectKey, _: Range<u64>) -> Result<ByteStream, StoreError> {
        Err(StoreError::Failed(ABSENT.into()))
    }

    async fn delete(&self, _: &ObjectKey) -> Result<(), StoreError> {
        Err(StoreError::Failed(ABSENT.into()))
    }
}

#[async_trait]
impl Mailer for Absent {
    async fn send(&self, _: &Mail) -> Result<(), MailError> {
        Err(MailError::Transient(ABSENT.into()))
    }
}
