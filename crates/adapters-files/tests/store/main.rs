//! What the port promises, tried on a folder and on a server that speaks S3; and what only one of them has.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;
mod faults;
mod place;

use place::Place;

/// Runs each case on both kinds of store.
macro_rules! suite {
    ($($case:ident)*) => {
        mod local {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::cases::$case(super::Place::folder()).await;
                }
            )*
        }

        mod s3 {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::cases::$case(super::Place::bucket()).await;
                }
            )*
        }
    };
}

suite! {
    what_was_written_is_read
    a_range_is_cut_to_the_object
    a_range_that_holds_nothing_is_empty
    what_is_not_there_is_not_found
    deleting_twice_is_as_good
    an_object_is_there_whole_or_not_at_all
    an_aborted_object_leaves_nothing
    a_dropped_object_leaves_nothing
    writers_do_not_disturb_each_other
    keys_may_have_folders
    a_usable_store_says_so
}
