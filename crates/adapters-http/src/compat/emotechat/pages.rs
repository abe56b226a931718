//! Numbered pages.

use crate::extract::{page_count, page_number, page_size};
use serde::Serialize;
use tertulia_domain::Window;
use utoipa::ToSchema;

/// Items of a page, when nothing is said.
const DEFAULT: u16 = 30;

/// Where in a list a page is.
#[derive(Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Pagination {
    #[schema(minimum = 0)]
    pub(super) total_pages: i64,
    #[schema(value_type = i64, minimum = 1)]
    pub(super) current_page: u32,
    #[schema(minimum = 1, maximum = 100)]
    pub(super) page_size: u16,
    #[schema(minimum = 0)]
    total: i64,
}

/// A page that is asked for.
#[derive(Clone, Copy)]
pub(super) struct Page {
    number: u32,
    size: u16,
}

impl Page {
    pub(super) fn new(page: Option<&str>, page_size: Option<&str>) -> Self {
        Self {
            number: page_number(page),
            size: self::page_size(page_size, DEFAULT),
        }
    }

    pub(super) fn window(self) -> Window {
        Window::page(self.number, self.size)
    }

    /// Its place in a list of so many items.
    pub(super) fn of(self, total: i64) -> Pagination {
        Pagination {
            total_pages: page_count(total, self.size),
            current_page: self.number,
            page_size: self.size,
            total,
        }
    }
}
