//! Checks that guards can be applied: the scenario is read once more with each guard's settings.

use super::{
    Known,
    files::Read,
    findings::Findings,
    guard::GuardRead,
    overlay::{self, Override},
    scenario::{self, Documents},
};
use crate::{Diagnostic, Span};

/// Checks each guard's settings.
pub(crate) fn check(read: &Read, guards: &[GuardRead], known: &Known<'_>, findings: &Findings) {
    for guard in guards {
        if let Some(laid) = lay(guard, read, findings) {
            let own = Findings::default();
            scenario::check(&laid, known, &own);
            for diagnostic in own.into_sorted() {
                findings.add(at_guard(diagnostic, &guard.overrides));
            }
        }
    }
}

fn lay(guard: &GuardRead, read: &Read, findings: &Findings) -> Option<Documents> {
    let mut laid = read.laid.clone();
    let before = findings.len();
    for set in &guard.overrides {
        let system = set.of_system();
        if set.path == "system" {
            let diagnostic = Diagnostic::new(set.path_span.clone(), "a guard takes a protection of this system away");
            findings.add(diagnostic.advice("set something of a service, as `service.gateway.env.NAME`"));
            continue;
        }
        // Compared with the files, not with what `--set` made of them: proving a guard sets what the guard does.
        let raw = read.raw.system.as_ref().filter(|_| system).unwrap_or(&read.raw.scenario);
        if overlay::lookup(raw, &set.path) == Some(set.value.as_str()) {
            let message = format!("this changes nothing: it is `{}` already", set.value);
            let advice = "a guard takes a protection away; set another value";
            findings.add(Diagnostic::new(set.value_span.clone(), message).advice(advice));
            continue;
        }
        let document = laid.system.as_mut().filter(|_| system).unwrap_or(&mut laid.scenario);
        if let Err(wrong) = overlay::lay(document, set) {
            findings.add(wrong.diagnostic(set.path_span.clone()));
        }
    }
    (findings.len() == before).then_some(laid)
}

/// Moves a mistake that only the guard's settings make to them, even where another place notices.
fn at_guard(mut diagnostic: Diagnostic, sets: &[Override]) -> Diagnostic {
    let inside = |span: &Span, of: &Span| {
        span.source == of.source && of.range.start <= span.range.start && span.range.end <= of.range.end
    };
    let at = |span: &Span| sets.iter().any(|set| inside(span, &set.value_span) || inside(span, &set.path_span));
    if let Some(first) = sets.first().filter(|_| !at(&diagnostic.span)) {
        let noticed = std::mem::replace(&mut diagnostic.span, first.value_span.clone());
        diagnostic.also.insert(0, (noticed, "this no longer fits".to_owned()));
        diagnostic.message = format!("with this setting, {}", diagnostic.message);
    }
    diagnostic
}
