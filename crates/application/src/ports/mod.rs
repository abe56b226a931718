//! What the use cases need besides repositories. The adapters implement it.

mod clock;
mod event_bus;
mod file_store;
mod ids;
mod image_inspector;
mod mailer;
mod password_hasher;
mod token_issuer;

pub use clock::Clock;
pub use event_bus::{BusError, EventBus, Signal, SignalStream};
pub use file_store::{ByteStream, FileStore, ObjectWriter, StoreError};
pub use ids::{IdGenerator, SecretGenerator};
pub use image_inspector::{INSPECTED_BYTES, ImageInspector, Inspection, ThumbnailError};
pub use mailer::{MailError, Mailer};
pub use password_hasher::{HashError, PasswordHasher};
pub use token_issuer::{AccessToken, TokenError, TokenIssuer, VerifyTokenError};

#[cfg(any(test, feature = "mocks"))]
pub use {
    clock::MockClock,
    event_bus::MockEventBus,
    file_store::{MockFileStore, MockObjectWriter},
    ids::{MockIdGenerator, MockSecretGenerator},
    image_inspector::MockImageInspector,
    mailer::MockMailer,
    password_hasher::MockPasswordHasher,
    token_issuer::MockTokenIssuer,
};
