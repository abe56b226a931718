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
#![cfg_attr(
    not(test),
    expect(clippy::wildcard_imports, reason = "the fixture is every case's vocabulary")
)]
#![expect(clippy::cloned_ref_to_slice_refs, reason = "a list of one reads like a list of two")]

use std::any::Any;
use std::sync::Arc;
use tertulia_domain::repository::{
    AccountTokenRepository, ApiKeyRepository, ChatRepository, FileRepository, Maintenance, MessageRepository,
    ModerationRepository, OutboxRepository, OverviewRepository, SessionRepository, UserRepository,
    VerificationKeyRepository,
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
    /// Chats and messages on numbered pages.
    pub overviews: Arc<dyn OverviewRepository>,
    /// The messages.
    pub messages: Arc<dyn MessageRepository>,
    /// The files.
    pub files: Arc<dyn FileRepository>,
    /// The mails to be sent.
    pub outbox: Arc<dyn OutboxRepository>,
    /// The tokens that go out by mail.
    pub account_tokens: Arc<dyn AccountTokenRepository>,
    /// The API keys.
    pub api_keys: Arc<dyn ApiKeyRepository>,
    /// Blocks, reports, suspensions, audit log.
    pub moderation: Arc<dyn ModerationRepository>,
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
    accounts {
        a_deleted_user_keeps_nothing_but_the_place
        a_deleted_users_names_are_free
        nobody_is_deleted_twice
        a_deleted_user_is_seen_no_more
        a_deleted_user_leaves_every_group
        a_deleted_users_messages_and_direct_chats_stay
        to_erase_an_account_blanks_its_messages_everywhere
        to_erase_many_messages_counts_them_all
        an_owner_of_many_groups_is_followed_in_each
    }
    sessions {
        an_inserted_session_is_what_was_given
        times_keep_their_milliseconds
        nobody_gets_a_session
        one_session_too_many_ends_the_least_recently_used
        expired_sessions_are_not_counted
        a_caller_is_found_until_the_session_ends
        a_session_expires_at_the_moment_it_says
        a_callers_role_is_the_present_one
        a_refresh_moves_the_session_on
        an_old_token_ends_the_session
        a_token_that_means_nothing_does_nothing
        a_refresh_gives_the_present_user
        sessions_are_listed_newest_first
        one_session_is_ended
        all_sessions_are_ended_and_counted
        activity_moves_forward_only
        a_batch_of_activity_holds_anything
        activity_in_somebody_elses_session_does_not_move_it
        activity_of_a_thousand_sessions_is_one_batch
    }
    chats {
        a_direct_chat_is_made_once_for_both
        everybody_has_their_own_direct_chats
        a_direct_chat_needs_two_users
        a_group_is_made_with_its_members
        a_group_may_begin_with_its_owner_alone
        a_group_may_begin_large
        a_group_is_made_with_all_of_its_members_or_not_at_all
        times_keep_their_milliseconds
        chat_numbers_are_never_reused
        an_outsider_finds_a_chat_without_a_place_in_it
        a_chat_shows_who_has_read_how_much
        a_preview_shows_the_ten_longest_standing
        a_group_is_renamed
        only_groups_are_renamed
        a_deleted_chat_is_gone_with_everything_in_it
        after_its_deletion_a_direct_chat_begins_anew
    }
    chat_lists {
        the_most_recently_active_come_first
        chats_active_at_one_time_stand_by_id
        the_last_page_of_chats_says_so
        a_walk_over_chats_never_repeats
        a_walk_over_chats_goes_on_where_its_chat_was
        a_list_takes_a_living_session
        lists_show_what_a_single_chat_shows
        the_last_message_is_shown_deleted_or_edited
    }
    members {
        members_are_listed_longest_standing_first
        a_walk_over_members_survives_comings_and_goings
        only_members_are_found
        a_new_member_has_everything_read
        who_is_there_already_stays_as_they_are
        a_full_group_takes_nobody
        nobody_is_added_to_nothing
        a_role_is_given_and_taken
        a_group_is_handed_over
        an_owner_does_not_step_down
        only_members_have_roles
        a_member_is_taken_out
        who_comes_back_comes_as_new
        who_is_not_in_is_not_taken_out
        an_owner_is_followed_by_the_longest_standing_admin
        of_those_who_joined_together_the_smaller_id_follows
        the_last_one_out_deletes_the_group
        an_owner_can_be_kept_in
        reading_moves_forward_to_the_newest_message_at_most
        outsiders_read_nothing
    }
    messages {
        a_sent_message_is_what_was_given
        bodies_come_back_as_they_went
        times_keep_their_milliseconds
        each_chat_counts_its_own_messages
        to_send_is_to_have_read
        a_message_makes_its_chat_active
        an_answer_shows_its_message_as_it_is_now
        an_answer_stays_within_its_chat
        what_fails_takes_no_number
        to_send_takes_a_living_session
        only_members_send
        a_service_admin_sends_anywhere
        a_message_is_found_with_what_decides_about_it
        an_edited_message_has_another_body_and_says_when
        what_is_not_there_is_not_edited
        a_deleted_message_keeps_its_place_and_first_time
    }
    history {
        pages_have_exact_edges
        an_empty_chat_has_an_empty_page
        a_long_history_is_walked_both_ways
        a_walk_backwards_meets_nothing_new
        a_walk_forwards_meets_what_came_meanwhile
        deleted_messages_keep_their_place
        a_list_shows_what_a_single_message_shows
        a_list_takes_a_living_session
        only_members_and_service_admins_read
        to_look_changes_nothing
    }
    idempotency {
        a_retry_sends_nothing
        a_retry_gets_the_first_answer_whatever_became_of_the_message
        a_retry_takes_a_living_session
        a_key_stands_for_one_request
        keys_differ_by_every_character
        keys_are_per_user
        a_key_is_remembered_for_a_day
        what_fails_is_not_remembered
        of_many_copies_at_once_one_is_sent
        of_two_requests_under_one_key_at_once_one_is_refused
        different_keys_at_once_do_not_meet
    }
    recordings {
        a_recorded_group_is_made_once
        a_recorded_direct_chat_is_made_once
        a_recorded_report_is_made_once
        a_recorded_file_is_stored_once
        a_recorded_member_is_added_once
        a_key_stands_for_one_request
        a_key_is_looked_at_before_everything_else
        keys_are_per_user
        a_key_is_remembered_for_a_day
        what_fails_is_not_remembered
        of_many_copies_at_once_one_happens
    }
    concurrency {
        of_many_registrations_of_a_name_one_succeeds
        users_registered_at_once_have_different_numbers
        of_many_changes_to_a_name_one_succeeds
        a_token_used_twice_at_once_ends_its_session
        sessions_begun_at_once_keep_to_their_number
        activity_recorded_in_opposite_orders
        of_many_who_want_a_direct_chat_one_makes_it
        messages_sent_at_once_are_numbered_without_gaps
        reading_and_sending_at_once
        pages_read_while_many_send
        a_user_added_many_times_at_once_is_added_once
        a_group_filled_at_once_is_not_overfilled
        comings_and_goings_at_once_leave_an_exact_count
        a_group_handed_over_many_times_at_once_has_one_owner
        owners_who_leave_while_it_is_handed_over
        of_the_last_ones_leaving_at_once_one_deletes_the_group
        users_of_the_same_groups_deleted_at_once
        an_account_deleted_many_times_at_once_is_deleted_once
        a_user_deleted_while_being_added_is_in_no_group
        a_session_begun_while_its_user_is_deleted_does_not_live
        a_chat_deleted_while_it_is_used_is_gone
        a_message_deleted_many_times_at_once_keeps_one_time
    }
    keys {
        published_keys_are_listed
        to_publish_a_key_again_changes_nothing
        a_key_may_be_published_many_times_at_once
    }
    maintenance {
        a_new_backend_is_in_order
        expired_sessions_are_purged_and_no_others
        forgotten_keys_are_purged_and_no_others
        a_purge_does_not_stop_after_a_bite
    }
    files {
        a_stored_file_is_what_was_given
        an_announced_object_is_due_until_a_file_adopts_it
        what_is_due_is_not_adopted
        a_file_needs_its_announcement_and_its_owner
        equal_bytes_are_kept_once
        bytes_stay_until_their_last_file_is_gone
        objects_that_are_gone_are_forgotten
        who_stands_how_to_a_file_on_a_message
        who_stands_how_to_an_avatar
        a_public_key_finds_its_file
        unused_files_are_collected_by_age
        used_files_are_not_collected
        files_are_collected_in_bites
        equal_bytes_that_come_while_they_go
        equal_bytes_stored_many_times_at_once
        a_file_used_while_it_is_collected
        messages_with_the_same_files_deleted_at_once
        times_of_objects_keep_their_milliseconds
        users_who_share_files_erased_at_once
        files_collected_many_times_at_once_are_collected_once
    }
    attachments {
        a_message_shows_its_files_in_order
        a_message_may_be_files_alone
        what_the_sender_may_not_read_is_not_attached
        a_member_may_forward_a_file_of_a_chat
        what_all_may_see_all_may_attach
        a_deleted_message_takes_its_files_along
        a_file_goes_with_the_last_that_uses_it
        an_edit_leaves_the_files
        a_retry_shows_the_files_whatever_became_of_them
        a_deleted_chat_takes_its_files_along
        the_last_one_out_takes_the_files_along
        a_deleted_users_files_stay_on_their_messages
        to_erase_an_account_takes_its_files_along
        groups_that_go_with_an_account_take_their_files_along
    }
    avatars {
        a_users_avatar_is_shown_everywhere
        an_avatar_is_one_of_ones_own_files
        a_replaced_avatar_is_gone
        a_group_has_an_avatar
        only_groups_have_an_avatar
        an_avatar_set_many_times_at_once_is_one_of_them
    }
    thumbnails {
        an_image_is_a_job_and_nothing_else_is
        a_job_is_given_out_three_times
        of_many_workers_each_gets_another_job
        a_finished_thumbnail_is_the_images
        an_image_that_can_have_no_thumbnail_is_left_alone
        a_thumbnail_goes_with_its_image
        a_thumbnail_that_comes_too_late_is_left_over
    }
    outbox {
        a_mail_is_what_was_given
        what_is_refused_causes_no_mail
        the_longest_due_is_taken_first
        a_mail_is_somebodys_until_the_time_they_said
        a_mail_that_was_sent_is_gone
        a_mail_that_failed_comes_again_when_it_should
        a_mail_that_is_given_up_is_gone
        the_oldest_mail_tells_its_age
        of_many_workers_no_two_get_the_same_mail
    }
    account_tokens {
        a_reset_goes_to_the_stored_address
        nobody_is_sent_nothing
        the_newest_token_voids_the_older_ones
        a_change_of_address_or_password_voids_a_reset
        a_reset_expires_at_the_moment_it_says
        a_reset_changes_the_password_and_ends_everything
        of_many_uses_of_a_reset_at_once_one_succeeds
        a_verified_address_becomes_the_users
        ones_own_address_is_verified
        a_user_without_an_address_gets_one
        verifications_expire_and_are_replaced
        an_address_that_was_taken_meanwhile_stays_with_its_user
        of_many_who_verify_one_address_at_once_one_gets_it
        a_new_user_is_mailed_a_verification
        the_two_kinds_of_token_are_not_mixed_up
        another_address_is_an_unverified_one
        a_token_mailed_elsewhere_verifies_no_address
        a_deleted_users_tokens_are_gone
    }
    api_keys {
        a_key_is_found_by_its_hash
        a_key_expires_at_the_moment_it_says
        a_user_has_so_many_keys_at_the_most
        nobody_gets_a_key
        a_revoked_key_is_gone
        a_key_does_what_a_session_does
        the_last_use_of_a_key_is_recorded
        keys_are_not_among_the_sessions
        keys_do_not_end_with_the_sessions
        a_purge_leaves_keys_to_their_owner
        a_deleted_users_keys_are_gone
    }
    blocks {
        a_block_is_listed_until_it_is_lifted
        what_changes_nothing_is_not_logged
        one_blocks_so_many_at_the_most
        nobody_is_blocked_in_vain
        a_block_stands_between_the_two
        in_a_blocked_direct_chat_nobody_sends
        a_retry_is_answered_in_a_blocked_chat
        no_direct_chat_begins_across_a_block
        groups_know_no_blocks
        a_deleted_users_blocks_are_gone
        blocks_made_many_times_at_once_are_made_once
    }
    moderation {
        a_report_is_what_was_given
        only_messages_of_that_chat_are_reported
        a_report_keeps_what_the_message_said
        an_open_report_is_not_made_twice
        a_message_reported_many_times_at_once_is_reported_once
        a_report_is_resolved_once
        reports_are_listed_by_what_became_of_them
        a_suspended_user_is_out
        a_suspension_is_lifted
        nobody_is_suspended_twice
        a_session_begun_while_its_user_is_suspended_does_not_live
        a_removed_message_is_a_deleted_one
        every_act_is_logged_as_it_was
        the_log_is_read_in_pages
        times_keep_their_milliseconds
    }
    numbered_pages {
        a_user_is_found_by_number
        a_user_is_found_by_username_in_any_case
        several_users_are_found_at_once
        users_are_counted_and_paged_by_number
        an_unknown_chat_has_no_messages_to_page
        an_empty_chat_has_empty_pages
        pages_of_messages_have_exact_edges
        deleted_messages_are_neither_shown_nor_counted
        messages_gone_with_their_sender_are_not_shown
        messages_are_listed_before_a_message
        a_numbered_page_shows_what_history_shows
        numbered_pages_read_while_many_send
    }
    overviews {
        overviews_come_latest_activity_first
        overviews_come_latest_change_first
        overviews_of_one_time_stand_by_id
        ones_own_chats_are_listed_or_everybodys
        chats_with_somebody_are_listed
        direct_chats_are_listed_alone
        members_are_shown_where_they_are_asked_for
        an_overview_shows_a_thousand_members_at_the_most
        an_overview_shows_what_a_single_chat_shows
        the_last_message_is_the_newest_that_is_left
        unread_messages_are_those_that_are_left
        both_of_a_direct_chat_are_told_what_they_have_not_read
        a_block_is_shown_in_the_overview
        to_look_at_overviews_changes_nothing
        overviews_read_while_many_send
    }
    notes {
        a_note_stands_until_a_message_is_sent
        a_note_is_no_message
        a_note_outlasts_deletions_and_does_not_come_back
        notes_come_back_as_they_went
        a_note_needs_a_chat_and_goes_with_it
        each_chat_has_its_own_note
    }
    member_sets {
        a_set_has_one_chat_in_whatever_order
        another_set_is_another_chat
        only_chats_made_so_are_known_by_their_set
        a_set_is_who_is_in_it_now
        of_two_chats_of_one_set_the_older_is_given
        a_set_is_made_with_all_of_its_members_or_not_at_all
        a_set_may_be_large
        of_many_who_want_a_set_one_makes_it
        a_direct_chat_is_found_by_its_two
        a_chat_is_found_by_number
        members_are_replaced
        an_owner_who_is_replaced_is_followed
        a_note_comes_with_the_members
        a_direct_chat_becomes_a_group
        whoever_is_there_longest_owns_the_group_of_others
        a_direct_chat_passes_to_another_pair
        a_group_known_by_its_set_becomes_a_direct_chat
        an_avatar_that_hangs_elsewhere_stays
        other_groups_stay_groups
        a_set_that_another_chat_is_of_is_taken
        no_chat_passes_to_a_pair_across_a_block
        members_who_are_not_there_replace_nobody
        of_many_chats_that_want_a_set_one_gets_it
        members_replaced_at_once_leave_an_exact_count
        a_user_deleted_while_sets_are_made_is_in_none
    }
    addressees {
        a_message_addresses_somebody_of_a_group
        an_answer_with_files_addresses_somebody
        direct_chats_know_no_addressee
        a_retry_shows_the_addressee
    }
}
