//! What every store has to do, whichever database is under it: one suite, run against each.
//!
//! The runs on PostgreSQL need `SWITCHBOARD_TEST_POSTGRES_URL`, the address of a server whose user may create databases; each test has one of
//! its own. Without it they say by name that they were skipped; in continuous integration (`CI` is set) they fail.

mod acceptance;
pub(crate) mod bench;
mod callbacks;
mod classifying;
mod configuration;
mod doubts;
mod fixture;
mod grants;
mod history;
mod leases;
mod ledger;
mod lists;
mod moving;
mod outbox;
mod places;
mod removal;
mod repeats;
mod runs;

/// Makes a test of each case for each store.
macro_rules! contract {
    (every store: $($case:path as $name:ident),* $(,)? ; several nodes: $($shared:path as $shared_name:ident),* $(,)?) => {
        mod on_sqlite {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    $case(&bench::SqliteBench::new()).await;
                }
            )*
        }
        mod on_postgres {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    if let Some(bench) = bench::PostgresBench::new(stringify!($name)).await {
                        $case(&bench).await;
                        bench.finish().await;
                    }
                }
            )*
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $shared_name() {
                    if let Some(bench) = bench::PostgresBench::new(stringify!($shared_name)).await {
                        $shared(&bench).await;
                        bench.finish().await;
                    }
                }
            )*
        }
    };
}

contract! {
    every store:
    acceptance::stays as what_was_accepted_is_there_after_the_store_is_opened_again,
    acceptance::repeats as a_repeat_makes_nothing_and_another_content_under_the_same_key_is_a_conflict,
    acceptance::repeats_at_once as the_same_message_from_many_senders_at_once_is_kept_once,
    acceptance::repeats_in_one_call as the_same_message_twice_in_one_call_is_kept_once,
    acceptance::heard_in_order as the_listener_hears_of_every_delivery_in_the_order_of_ids,
    acceptance::any_text as every_character_is_kept_or_replaced_and_harms_no_neighbour,
    acceptance::added_once as a_delivery_is_added_to_an_event_once_per_object,
    outbox::open_intent as an_intent_without_an_outcome_is_found_as_a_doubt,
    outbox::delivered as a_settled_delivery_leaves_the_outbox_and_its_link_stays,
    outbox::tried_again as a_failed_try_stays_in_the_outbox_with_its_problem_and_calls,
    outbox::refused_intents as an_intent_is_refused_when_a_person_has_held_or_cancelled_the_delivery,
    outbox::replays as only_dead_and_cancelled_deliveries_of_the_own_workspace_are_replayed,
    outbox::wishes_by_filter as a_wish_by_filter_goes_on_where_it_ended,
    outbox::held_left_out as held_deliveries_are_not_pending_until_they_are_released,
    outbox::backlog as a_backlog_is_read_page_by_page_in_the_order_of_ids,
    outbox::handed_over as a_hand_over_makes_the_deliveries_of_the_backup_once,
    outbox::carriers as a_folded_delivery_names_the_one_that_carried_it,
    outbox::many_links as links_are_set_replaced_and_forgotten_in_bulk,
    places::told_apart as each_place_of_an_object_has_a_delivery_and_a_record_of_its_own,
    places::added_once as a_delivery_is_added_to_an_event_once_per_place_also_after_it_has_arrived,
    places::handed_over as a_hand_over_makes_the_deliveries_of_each_place_of_the_backup_once,
    doubts::settled as what_is_in_doubt_is_kept_with_what_could_tell_what_became_of_it,
    doubts::of_records as a_record_stays_in_doubt_until_its_id_is_known_or_that_there_is_none,
    doubts::replayed as a_replay_keeps_a_doubt_unless_a_person_has_looked,
    lists::by_page as lists_are_read_page_by_page_and_by_workspace,
    lists::by_filter as lists_are_filtered_by_state_connection_event_object_and_time,
    history::lists_across as lists_go_across_what_waits_and_what_is_over,
    history::repeats_across as a_repeat_is_recognised_after_its_event_was_archived,
    history::dropped as a_dropped_day_is_gone_but_for_what_is_not_settled,
    configuration::revision as the_revision_grows_with_each_change_of_the_configuration,
    configuration::refusals as a_refusal_of_former_credentials_stops_nothing,
    configuration::discovered as what_an_account_was_found_to_have_is_kept_by_part_and_replaced,
    configuration::definitions as definitions_are_kept_by_workspace_kind_and_key,
    removal::removed as a_removed_connection_ends_its_deliveries_and_its_number_is_not_given_again,
    removal::orphans as what_was_accepted_for_a_connection_that_is_gone_is_ended,
    configuration::keys as keys_are_kept_and_raise_the_revision,
    grants::tokens as a_token_is_kept_with_its_credentials_and_goes_with_them,
    grants::kept as a_sign_in_goes_on_when_the_connection_is_configured_anew,
    grants::sign_ins as a_person_comes_back_once,
    grants::turns as a_turn_is_taken_by_one_at_a_time,
    classifying::waits as a_message_that_waits_is_taken_by_one_at_a_time_until_it_went_on,
    classifying::stays as a_message_that_waits_is_there_after_the_store_is_opened_again,
    classifying::budget as a_budget_is_kept_by_workspace_and_day,
    ledger::kept as a_record_is_found_by_its_keys_and_kept,
    ledger::changed as a_record_is_known_by_what_it_has_now_and_gone_when_it_is_removed,
    ledger::policies as a_record_that_is_there_is_changed_found_doubled_or_asked_about,
    ledger::three_ways as what_names_both_keys_makes_one_of_two_records_and_that_can_be_undone,
    ledger::contradictions as records_that_contradict_each_other_stay_two_and_are_listed,
    ledger::by_hand as merges_by_hand_are_undone_in_their_order,
    ledger::by_field as records_are_filtered_sorted_and_read_page_by_page,
    ledger::numbers as numbers_are_compared_as_numbers,
    ledger::told as a_change_is_told_in_the_transaction_that_makes_it,
    ledger::at_once as one_person_whom_several_sources_bring_at_once_is_one,
    runs::begun as runs_begin_with_their_event_and_not_with_a_repeat,
    runs::refused as a_run_that_is_refused_is_failed_from_the_beginning,
    runs::taken as a_run_is_taken_by_one_and_by_another_when_that_one_has_died,
    runs::stepped as a_step_is_done_and_written_down_once,
    runs::waiting as a_run_that_waits_is_due_after_a_restart_and_has_kept_its_event,
    runs::turns as a_turn_is_taken_by_one_run,
    runs::retried as a_failed_run_goes_on_at_its_step_when_a_person_says_so,
    runs::dropped as runs_that_are_over_go_with_their_day_and_those_that_wait_stay,
    callbacks::kept as a_callback_is_kept_byte_by_byte_and_its_delivery_once,
    callbacks::at_once as the_same_delivery_many_times_at_once_is_kept_once,
    callbacks::settled as a_callback_is_settled_once_in_each_turn,
    callbacks::waited as a_wait_for_a_turn_is_no_try_of_a_callback,
    callbacks::begun as a_callback_that_never_ends_is_begun_alone_and_counted,
    callbacks::refused as what_is_refused_of_a_callback_is_told_and_nothing_is_doubled_unasked,
    callbacks::guards as what_comes_of_a_callback_happens_once,
    callbacks::dropped as old_callbacks_are_dropped_unless_they_wait,
    configuration::closed as a_closed_store_says_so;
    several nodes:
    leases::one_holder as a_right_has_one_holder_and_its_fence_grows_with_each_change,
    leases::shares as nodes_share_the_connections_and_give_away_what_is_too_much,
    leases::accounts as the_connections_of_an_account_are_one_nodes,
    leases::late_settlement as a_late_settlement_of_a_former_holder_is_ignored_once_another_has_intended,
    leases::late_intent as an_intent_of_a_former_holder_is_refused,
    leases::late_commit as what_another_node_commits_is_told_whatever_its_ids,
    leases::released_elsewhere as a_delivery_that_was_released_on_another_node_is_told,
    moving::there_and_back as an_installation_moves_to_another_database_and_back_with_every_row,
    repeats::moved as a_repeat_is_recognised_while_fingerprints_move,
    repeats::written_elsewhere as a_repeat_of_what_another_node_is_writing_is_recognised,
    repeats::waits as fingerprints_stay_as_long_as_an_acceptance_may_look_for_them,
    repeats::late as a_fingerprint_that_comes_after_its_day_was_moved_is_kept,
    repeats::dropped as fingerprints_of_a_dropped_day_are_forgotten_wherever_they_are,
    grants::turns_across as a_turn_is_taken_by_one_node_at_a_time,
    callbacks::shared as nodes_share_the_callbacks,
    callbacks::neighbours as what_is_too_large_for_the_database_harms_no_neighbour,
    leases::newer_schema as a_database_of_a_newer_version_is_refused_and_left_alone,
    leases::upgrade_beside_others as an_upgrade_waits_until_the_nodes_of_the_earlier_version_have_stopped,
    leases::upgraded_meanwhile as a_node_whose_database_was_upgraded_meanwhile_works_on_no_longer,
    leases::lost_connection as a_lost_connection_is_survived,
}
