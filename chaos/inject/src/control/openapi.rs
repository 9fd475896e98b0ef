//! The description of the interface (OpenAPI 3.1), made from what goes over the wire. Faults are described by the table of
//! effects, each with its keys.

use super::{
    PREFIX,
    problem::Body,
    routes,
    wire::{Granted, Health, LeaseState, LinkStates},
};
use chaos_model::language::schema;
use serde_json::Value;
use std::sync::LazyLock;
use utoipa::{
    OpenApi as _, ToSchema,
    openapi::{
        Components,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// The place of schemas that others refer to.
const SCHEMAS: &str = "/components/schemas";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "chaos proxy",
        description = "Steers proxies that stand on the links of a running system. Faults live as long as the lease under \
                       which they were put in place: it has to be renewed, and when it lapses they are taken back at once.",
        license(name = "MIT OR Apache-2.0")
    ),
    paths(
        routes::health,
        routes::document,
        routes::links,
        routes::lease,
        routes::take,
        routes::renew,
        routes::give_up,
        routes::send
    ),
    modifiers(&Parts),
    tags(
        (name = "lease", description = "Who may put faults in place, and for how long"),
        (name = "links", description = "Where faults are put in place"),
        (name = "operation", description = "Without a token")
    )
)]
struct Document;

/// Components of the document, to which routes refer by name.
struct Parts;

impl utoipa::Modify for Parts {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        document.info.version = PREFIX.trim_start_matches("/v").to_owned();
        let about = "Made at each start of the proxies, and written to their token file.";
        let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(about));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(http.build()));
        add::<Body<'_>>(components);
        add::<Granted>(components);
        add::<Health>(components);
        add::<LeaseState>(components);
        add::<LinkStates>(components);
    }
}

/// Adds a schema and all that it refers to.
fn add<T: ToSchema>(components: &mut Components) {
    let mut all = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut all);
    components.schemas.extend(all);
}

/// The document: the same bytes for the same build.
pub(super) fn json() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| {
        let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
        if let Some(Value::Object(schemas)) = document.pointer_mut(SCHEMAS) {
            schemas.extend(schema::faults(&format!("#{SCHEMAS}/")));
        }
        format!("{document:#}\n")
    });
    &JSON
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_checked_in() {
        let there = include_str!("../../openapi.json");
        let advice = "`cargo test -p chaos-inject openapi -- --ignored` writes it";
        assert!(there == json(), "chaos/inject/openapi.json is old: {advice}");
    }

    #[test]
    #[ignore = "writes chaos/inject/openapi.json"]
    fn write_the_document() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json"), json()).unwrap();
    }
}
