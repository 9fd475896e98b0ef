//! The scenario as a whole: reads one pair of documents, guards not yet applied.

use super::{
    Known, announced, circles,
    document::Table,
    expect::{self, Against},
    fault,
    findings::Findings,
    guard::{self, GuardRead},
    load,
    outside::{DataFiles, Outside},
    reader::Reader,
    system, tls, unheard, unmet,
};
use crate::{Compose, Diagnostic, Fault, Scenario, Sources, Stages, Timeline};
use std::sync::Arc;

/// The documents that make a scenario.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    pub(crate) scenario: Table,
    /// None where the services stand in the scenario.
    pub(crate) system: Option<Table>,
    /// Texts of the files that the load names.
    pub(crate) files: DataFiles,
    /// The Compose file that the system is of, if it is of one.
    pub(crate) compose: Option<Arc<Compose>>,
}

/// A scenario and its guards. The settings and the sources are not filled in.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) scenario: Option<Scenario>,
    pub(crate) guards: Vec<GuardRead>,
}

/// Reads and checks; what is wrong is added to `findings`. `known` is what services can run and speak.
pub(crate) fn check(documents: &Documents, known: &Known<'_>, findings: &Findings) -> Checked {
    let mut reader = Reader::new(&documents.scenario, "the scenario", findings);
    let title = reader.needed_text("title", "title = \"Redis goes down under load\"");
    if let Some(word) = title.filter(|word| word.text.trim().is_empty()) {
        let advice = "as in `title = \"Redis goes down under load\"`";
        findings.add(Diagnostic::new(word.span.clone(), "the title says what the scenario shows").advice(advice));
    }
    reader.text("system");
    // Laid over the system already.
    reader.entry("set");
    let system = match &documents.system {
        None => system::read(&mut reader, None, known, findings),
        Some(table) => {
            let mut reader = Reader::new(table, "the system", findings);
            // Read already: its services are in the table.
            reader.entry("compose");
            let system = system::read(&mut reader, documents.compose.as_ref(), known, findings);
            reader.finish();
            system
        }
    };
    let outside = Outside { files: &documents.files, variable: known.variable };
    let load = load::read(&mut reader, &outside, findings);
    let duration = load.stages.as_ref().map(Stages::lasts);
    let faults_read = fault::read_all(&mut reader, &system, duration, findings);
    let faults: Vec<Fault> = faults_read.iter().filter_map(|read| read.fault.clone()).collect();
    let sound = faults.len() == faults_read.len();
    let mut timeline = duration.filter(|_| sound).map(|duration| Timeline::new(duration, &faults));
    let against = Against {
        system: &system,
        load: &load,
        faults: &faults_read,
        timeline: timeline.as_ref(),
        checks: known.checks,
        worlds: known.worlds,
    };
    let mut windows = Vec::new();
    let expectations = expect::read_all(&mut reader, &against, &mut windows, findings);
    expect::read_invariants(&mut reader, &against, findings);
    let guards = guard::read_all(&mut reader, &expectations, findings);
    reader.finish();
    if let Some(timeline) = &mut timeline {
        timeline.phases.extend(windows);
    }
    let mut warnings = unmet::warnings(&faults_read, &load);
    warnings.extend(announced::warnings(&faults, &system));
    warnings.extend(unheard::warnings(&system));
    warnings.extend(tls::warnings(&system));
    warnings.extend(findings.warnings());
    warnings.extend(circles::warnings(&system));
    let scenario = || {
        let (title, load, timeline) = (title?.text.to_owned(), load.load?, timeline?);
        let guards = guards.iter().map(|read| read.guard.clone()).collect();
        let (settings, sources) = (Vec::new(), Sources::default());
        Some(Scenario { title, system, settings, load, faults, expectations, guards, timeline, warnings, sources })
    };
    Checked { scenario: scenario(), guards }
}
