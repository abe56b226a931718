use tertulia_domain::Timestamp;

/// The time.
#[cfg_attr(any(test, feature = "mocks"), mockall::automock)]
pub trait Clock: Send + Sync {
    /// Now, by the wall clock. May jump, also backwards.
    fn now(&self) -> Timestamp;
}
