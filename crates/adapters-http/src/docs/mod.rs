//! The OpenAPI document, made from the handlers and their types, and a page to read it on.

mod document;
mod page;
pub(crate) mod responses;

pub(crate) use document::document;
pub(crate) use page::endpoints;
