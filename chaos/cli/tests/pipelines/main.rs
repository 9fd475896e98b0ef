//! Pipelines of others: releases, the action, and the files of "In CI" do what they say, with this program in the place of a
//! released one and no network. What fetches is shown as ignored where there is no curl.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod action;
mod files;
mod release;
mod support;
mod workflows;

use libtest_mimic::{Arguments, Trial};
use std::process::Command;

/// Trials by the names of functions.
macro_rules! trials {
    ($($name:path),+ $(,)?) => {
        vec![$(Trial::test(stringify!($name), || { $name(); Ok(()) })),+]
    };
}

fn main() {
    let mut all = trials![
        release::a_release_is_packed_checked_and_installed,
        release::what_is_no_release_is_not_packed,
        action::outputs_are_all_those_that_the_action_has,
        action::each_outcome_is_told,
        action::inputs_are_words_and_nothing_else,
        action::what_became_worse_fails_where_that_is_asked_for,
        action::every_input_comes_by_the_environment_and_is_described,
        files::the_page_shows_the_files,
        files::the_files_fetch_this_version,
        workflows::actions_are_named_by_commit,
        workflows::nothing_is_spliced_into_a_shell,
        workflows::a_workflow_may_do_what_it_must,
    ];
    let has_curl = Command::new("curl").arg("--version").output().is_ok();
    let fetch = trials![
        action::a_release_is_fetched_and_runs_what_is_asked_for,
        action::a_program_that_is_not_what_its_checksum_says_is_not_run,
        files::the_step_of_github_runs,
        files::the_lines_of_gitlab_run,
        files::the_steps_of_jenkins_run,
    ];
    all.extend(fetch.into_iter().map(|trial| trial.with_ignored_flag(!has_curl)));
    libtest_mimic::run(&Arguments::from_args(), all).exit();
}
