//! The OpenAPI documents, made from the handlers and their types, and a page to read them on.

mod document;
mod page;
pub(crate) mod responses;

pub(crate) use document::{contract_document, document};
pub(crate) use page::endpoints;
