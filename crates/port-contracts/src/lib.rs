//! The suite that every repository adapter passes: what the traits of the domain promise, tried on a real backend.
//!
//! A case is a function that takes a fresh [`Backend`] and panics when a promise is broken. [`repository_contract`] makes
//! a test of each; `suite!` below is the one list of them, and a case that it misses is dead code to the compiler.
//!
//! No case reads a clock or waits: times are arguments, and concurrency is many calls at once whose sum is known
//! whatever their order.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "everything here is a test: it fails by panicking"
)]

use std::any::Any;
use std::sync::Arc;
use tertulia_domain::repository::{
    ChatRepository, Maintenance, MessageRepository, SessionRepository, UserRepository, VerificationKeyRepository,
};

mod fixture;

/// A fresh, empty backend of its own for one test.
pub struct Backend {
    /// The users.
    pub users: Arc<dyn UserRepository>,
    /// The sessions.
    pub sessions: Arc<dyn SessionRepository>,
    /// The chats.
    pub chats: Arc<dyn ChatRepository>,
    /// The messages.
    pub messages: Arc<dyn MessageRepository>,
    /// The verification keys.
    pub keys: Arc<dyn VerificationKeyRepository>,
    /// Upkeep.
    pub maintenance: Arc<dyn Maintenance>,
    /// Removes the backend when it is dropped.
    pub guard: Box<dyn Any + Send>,
}

/// Declares the modules, lets their cases out, and writes the macro that runs them. `$d` is a dollar sign, for the macro
/// inside.
macro_rules! suite {
    (($d:tt) $($module:ident { $($case:ident)* })*) => {
        $(
            #[expect(missing_docs, reason = "a case's name says what it holds an adapter to")]
            mod $module;
        )*

        #[doc(hidden)]
        pub mod cases {
            $(pub mod $module { $(pub use crate::$module::$case;)* })*
        }

        /// Makes a module of tests, one for each case: `repository_contract!(postgres, make_backend);`, where
        /// `make_backend` is the path of an `async fn() -> Backend`. The using crate has `tokio` among its
        /// dependencies, with the features `macros` and `rt-multi-thread`.
        #[macro_export]
        macro_rules! repository_contract {
            ($d name:ident, $d make:path) => {
                mod $d name {
                    use super::*;

                    async fn make() -> $d crate::Backend {
                        $d make().await
                    }

                    $(mod $module {
                        $(
                            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
                            async fn $case() {
                                $d crate::cases::$module::$case(super::make().await).await;
                            }
                        )*
                    })*
                }
            };
        }
    };
}

suite! { ($)
    users {
        an_inserted_user_is_what_was_given
        a_user_may_have_a_username_or_an_email_alone
        times_keep_their_milliseconds
        numbers_ascend
        a_username_is_unique_without_regard_to_case
        an_email_is_unique_without_regard_to_case
        of_both_taken_the_username_is_named
        nobody_is_found_where_nobody_is
        credentials_are_found_by_either_name_in_any_case
        the_list_is_in_order_of_numbers_without_the_deleted
        the_last_page_of_users_says_so
        a_walk_over_users_survives_inserts_and_deletes
        a_prefix_finds_username_and_display_name
        a_prefix_is_taken_literally
        a_prefix_is_compared_without_regard_to_case
        a_search_is_walked_in_pages
        an_update_changes_what_it_names_and_nothing_else
        an_update_of_everything_at_once
        names_can_be_removed
        the_last_name_to_log_in_with_stays
        a_taken_name_cannot_be_changed_to
        ones_own_name_can_be_written_otherwise
        nobody_cannot_be_updated
        a_new_password_ends_the_other_sessions
        nobody_gets_a_new_password
    }
    keys {
        published_keys_are_listed
    }
}
