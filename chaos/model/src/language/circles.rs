//! Warnings of services that use each other, round in a circle: none of them can wait for all that it uses.

use crate::{Diagnostic, System};

pub(super) fn warnings(system: &System) -> impl Iterator<Item = Diagnostic> {
    system.circles().into_iter().filter_map(|circle| {
        let mut services = circle.iter().filter_map(|name| system.services.get(*name));
        let first = services.next()?;
        let names = circle.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let message = format!("{names} use each other, round in a circle: they start at once");
        let advice = "each has to bear that another is not there yet; one that doesn't use the others in its `env`, \
                      `command`, `setup` or `ready` starts first";
        let diagnostic = Diagnostic::warning(first.start_span.clone(), message).advice(advice);
        Some(services.fold(diagnostic, |told, service| told.also(service.start_span.clone(), "and this one")))
    })
}
