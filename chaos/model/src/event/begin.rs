//! The first event of a run: all that is known of it as it begins.

use crate::{Calibration, Fault, Nonce, Phase, plan::Plan};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Everything that is known of a run as it begins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Begin {
    /// [`FORMAT`](super::FORMAT).
    pub format: u32,
    /// The run's id, sixteen hexadecimal digits: the same for a simulation that is made again, and for no other run.
    #[serde(default)]
    pub run: String,
    /// The nonce by which the run's requests are known (`baggage: chaos.request=NONCE-N-STEP`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Nonce>,
    /// The version of the program that made the run.
    #[serde(default)]
    pub chaos: String,
    /// The command line, word by word, without the secrets in it.
    #[serde(default)]
    pub command: Vec<String>,
    /// The folder that it was started in, from which its paths count.
    #[serde(default)]
    pub folder: String,
    /// The scenario's file.
    pub file: String,
    /// The scenario's title.
    pub title: String,
    /// The world's name, as `sim` or `local`.
    pub world: String,
    /// The seed of every draw.
    pub seed: u64,
    /// The time of the beginning, in milliseconds since the Unix epoch.
    pub unix_ms: u64,
    /// The scenario: system, load, expectations, guards and the texts that all of it was read from.
    // Shared: reports keep the event, and the texts in it are long.
    #[serde(default)]
    pub plan: Arc<Plan>,
    /// The phases, `run` first.
    pub phases: Vec<Phase>,
    /// The faults.
    pub faults: Vec<Fault>,
    /// The protection that was taken away, where a guard is proven.
    pub without: Option<String>,
    /// Settings that were laid over the scenario for this run, as `load.rate=500/s`.
    #[serde(default)]
    pub sets: Vec<String>,
    /// The expectations that were asked for, where not all of them are judged.
    #[serde(default)]
    pub only: Vec<String>,
    /// The expectations that this world leaves to others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<String>,
    /// The control: the same load, and none of the faults.
    #[serde(default)]
    pub control: bool,
    /// Accuracy of this machine, when that was last measured, if it ever was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}
