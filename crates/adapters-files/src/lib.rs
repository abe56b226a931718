//! Files: where their bytes are kept, and what is known of their formats.

mod formats;
mod store;

pub use formats::FileFormats;
pub use store::{ObjectFileStore, S3Credentials, S3Options};
