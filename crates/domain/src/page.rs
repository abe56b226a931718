//! Pages of a list, and the places where a walk over one goes on.
//!
//! A cursor names the last item that was handed out, by values that never change (or, for chats, only ever move the item
//! to the front), so inserts and deletes between two pages make no item appear twice or vanish, and every page costs the
//! same.

use crate::ids::{ChatId, UserId};
use crate::message::Seq;
use crate::time::Timestamp;
use thiserror::Error;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// Makes a page of at most `limit` items out of up to `limit + 1` that were fetched: one more than asked for tells
    /// that there is a next page, which begins after the last item that is kept.
    pub fn from_fetched(mut items: Vec<T>, limit: Limit, cursor_of: impl FnOnce(&T) -> C) -> Self {
        let limit = usize::from(limit.get());
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(cursor_of) } else { None };
        Self { items, next }
    }
}

/// How many items a page may have: 1 to 500.
///
/// The native API allows 100 and some contracts more; what each client may ask for is the driving adapter's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u16);

/// A number that is no page size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1 to {}", Limit::MAX)]
pub struct LimitError;

impl Limit {
    /// Items at the most.
    pub const MAX: u16 = 500;
    /// What a client gets that asks for nothing else.
    pub const DEFAULT: Self = Self(50);

    /// Checks a page size.
    pub const fn new(items: u16) -> Result<Self, LimitError> {
        if items == 0 || items > Self::MAX {
            Err(LimitError)
        } else {
            Ok(Self(items))
        }
    }

    /// The number of items.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The number of rows to fetch so that one can tell whether more follow.
    pub const fn fetch(self) -> i64 {
        self.0 as i64 + 1
    }
}

/// Part of a list together with the length of the whole, for clients that turn pages by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// How many items the whole list has at this moment.
    pub total: i64,
}

/// Which part of a counted list: how many items to pass over, and how many to give after that.
///
/// Passing over items costs the more the further back the page is. Only the contracts of existing clients, which
/// promise numbered pages, list like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    skip: i64,
    take: u16,
}

impl Window {
    /// Items at the most.
    pub const MAX: u16 = 1_000;

    /// The page of that number, the first being 1, of pages of that size. A number or a size that is out of range
    /// becomes the nearest one that is not.
    pub fn page(number: u32, size: u16) -> Self {
        let take = size.clamp(1, Self::MAX);
        Self {
            skip: i64::from(number.max(1) - 1) * i64::from(take),
            take,
        }
    }

    /// Items to pass over.
    pub const fn skip(self) -> i64 {
        self.skip
    }

    /// Items to give at the most, 1 to [`Window::MAX`].
    pub const fn take(self) -> u16 {
        self.take
    }
}

/// After the chat that was last active then; chats are listed by activity, newest first, then by id, largest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatCursor {
    /// The activity of the last chat handed out.
    pub active_at: Timestamp,
    /// Its id.
    pub id: ChatId,
}

/// After the user with that number; users are listed by number, smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserCursor(pub i64);

/// After that member; members are listed by when they joined, longest-standing first, then by user id, smallest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberCursor {
    /// When the last member handed out joined.
    pub joined_at: Timestamp,
    /// Who that was.
    pub user_id: UserId,
}

/// Which messages of a chat to list. The same value names the place where the next page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageRange {
    /// From the newest backwards.
    Newest,
    /// Those with a smaller number, newest first.
    Before(Seq),
    /// Those with a larger number, oldest first.
    After(Seq),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        assert_eq!(Limit::new(0), Err(LimitError));
        assert_eq!(Limit::new(500).map(Limit::get), Ok(500));
        assert_eq!(Limit::new(501), Err(LimitError));
        assert_eq!(Limit::DEFAULT.fetch(), 51);
    }

    #[test]
    fn windows() {
        let page = |number, size| {
            let window = Window::page(number, size);
            (window.skip(), window.take())
        };
        assert_eq!(page(1, 30), (0, 30));
        assert_eq!(page(3, 30), (60, 30));
        assert_eq!(page(0, 0), (0, 1));
        assert_eq!(page(u32::MAX, u16::MAX), (4_294_967_294_000, 1_000));
    }

    #[test]
    fn a_full_fetch_has_a_next_page() {
        let limit = Limit::new(2).unwrap();
        let page = |items: Vec<i64>| Page::from_fetched(items, limit, |item| UserCursor(*item));
        assert_eq!(
            page(vec![1, 2, 3]),
            Page {
                items: vec![1, 2],
                next: Some(UserCursor(2))
            }
        );
        assert_eq!(
            page(vec![1, 2]),
            Page {
                items: vec![1, 2],
                next: None
            }
        );
        assert_eq!(
            page(vec![]),
            Page {
                items: vec![],
                next: None
            }
        );
    }
}
