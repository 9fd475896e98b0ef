//! One body of tests for every implementation of the seam: over TCP in real time, and in memory on a paused clock.
//!
//! Each test is a function of a [`World`]; `conformance!` lists them and runs each in both worlds. What only one world
//! can show (a reset as the bytes on the wire, say) is tested elsewhere.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, helpers included")]

mod http;
mod listening;
mod modes;
mod programs;
mod streams;
mod switching;
mod tasks;
mod world;

use std::time::Duration;
use world::World;

/// No test needs this long. In memory it passes at once when nothing can go on any more, so that a lost wake-up fails.
const TOO_LONG: Duration = Duration::from_secs(30);

macro_rules! conformance {
    ($($module:ident: $($test:ident)+;)+) => {
        mod tcp {
            $(mod $module { $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let test = crate::$module::$test(crate::World::tcp());
                    tokio::time::timeout(crate::TOO_LONG, test).await.expect("the test hangs");
                }
            )+ })+
        }
        mod memory {
            $(mod $module { $(
                #[tokio::test(start_paused = true)]
                async fn $test() {
                    let test = crate::$module::$test(crate::World::memory());
                    tokio::time::timeout(crate::TOO_LONG, test).await.expect("the test hangs");
                }
            )+ })+
        }
    };
}

conformance! {
    streams:
        bytes_arrive_in_order_both_ways_at_once
        a_writer_waits_for_a_slow_reader
        shutdown_ends_one_direction_only
        what_was_written_before_a_drop_arrives
        dropping_unread_bytes_resets
        an_abort_resets_a_connection_that_was_in_use
        an_abort_after_a_split_resets
        an_abort_wakes_a_peer_that_is_blocked_in_a_write
        bytes_that_arrived_before_an_abort_are_read_first
        writing_to_a_peer_that_is_gone_fails_in_the_end
        writing_after_shutdown_is_a_broken_pipe;
    listening:
        a_free_port_is_given_and_told
        a_taken_port_is_in_use
        nobody_listening_is_refused
        localhost_is_this_node
        dropping_a_listener_frees_its_port_and_refuses
        dropping_a_listener_resets_what_it_had_not_taken
        a_port_is_free_again_beside_its_open_connections
        connections_are_taken_in_the_order_of_dialing
        an_abandoned_accept_loses_nothing;
    modes:
        refusing_refuses_and_counts
        refusing_resets_what_was_not_taken_and_spares_what_was
        a_refused_port_stays_taken
        hanging_connects_and_is_taken_on_resuming
        a_blackhole_lets_nobody_connect_and_counts
        a_pending_connect_completes_after_the_blackhole
        a_blackhole_spares_open_connections
        the_same_mode_twice_changes_nothing
        a_control_outlives_its_listener;
    switching:
        every_change_of_mode_takes_effect
        many_switches_leave_a_listener_that_works
        switching_wakes_an_idle_accept
        switching_back_and_forth_while_nobody_accepts
        switching_under_load_loses_no_accept_loop;
    tasks:
        a_task_gives_its_output
        an_aborted_task_is_stopped
        a_panic_stops_one_task_only
        a_dropped_task_runs_on
        no_ended_task_is_counted
        a_crash_drops_connections_and_frees_ports
        nothing_starts_after_a_crash
        a_frozen_task_is_silent_until_the_thaw
        a_frozen_task_can_be_aborted_and_crashed
        a_task_keeps_its_log_dispatcher;
    programs:
        sleeps_are_never_early
        an_abandoned_sleep_is_harmless
        dates_go_on_with_the_clock
        random_streams_depend_on_node_and_name
        settings_are_handed_through
        metrics_belong_to_a_host
        the_shutdown_signal_reaches_all_clones;
    http:
        requests_go_round_and_connections_are_kept
        a_request_under_way_ends_after_the_signal
        the_drain_has_an_end
        idle_and_fresh_connections_close_at_the_signal
        a_slow_head_is_cut_off
        a_client_that_takes_nothing_is_reset
        a_client_that_reads_slowly_gets_all_of_it
        the_stranger_that_idled_for_longest_gives_way
        an_abandoned_server_cuts_its_connections
        a_reset_in_mid_body_is_an_error
        responses_carry_no_date;
}
