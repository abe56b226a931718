//! The native API.

pub(crate) mod v1;
