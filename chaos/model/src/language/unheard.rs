//! Warnings of services that nothing tells on which port to listen.

use crate::{Diagnostic, Service, Start, System, system::Piece};

/// Warnings of commands that are not told the port which the world gives them: such a service is never ready.
pub(super) fn warnings(system: &System) -> impl Iterator<Item = Diagnostic> {
    system.services.values().filter(|service| is_unheard(service)).map(|service| {
        let message = format!("nothing tells `{}` on which port to listen", service.name);
        let advice =
            "the world gives it a port: `{self.port}` in its `command`, or in `env`, as `env.PORT = \"{self.port}\"`";
        Diagnostic::warning(service.start_span.clone(), message).advice(advice)
    })
}

fn is_unheard(service: &Service) -> bool {
    let Start::Command(words) = &service.start else { return false };
    let mut pieces = words.iter().chain(service.env.values()).flat_map(|template| &template.pieces);
    !words.is_empty() && !pieces.any(|piece| matches!(piece, Piece::OwnPort))
}
