//! Lists that come in one piece, unless they are too long for that.

use crate::extract::{page_number, page_size_within};
use crate::problem::Problem;
use crate::respond;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LINK};
use serde::Serialize;
use tertulia_domain::Window;

/// Which part of a list.
pub(super) struct Pages {
    number: u32,
    size: u16,
}

impl Pages {
    pub(super) fn new(page: Option<&str>, limit: Option<&str>) -> Self {
        Self {
            number: page_number(page),
            size: page_size_within(Window::MAX, limit, Window::MAX),
        }
    }

    pub(super) fn window(&self) -> Window {
        Window::page(self.number, self.size)
    }

    /// The answer, which says at which address the list goes on if it does. `list` is the list's own address, and ends
    /// with a `?` or `&`.
    pub(super) fn answer(&self, items: &impl Serialize, total: i64, list: &str) -> Result<HttpResponse, Problem> {
        let mut answer = respond::json(StatusCode::OK, items);
        let (number, size) = (self.number, self.size);
        if i64::from(number) * i64::from(size) < total {
            let next = u64::from(number) + 1;
            let link = format!("<{list}page={next}&limit={size}>; rel=\"next\"");
            let link = HeaderValue::try_from(link).map_err(Problem::internal)?;
            answer.headers_mut().insert(LINK, link);
        }
        Ok(answer)
    }
}
