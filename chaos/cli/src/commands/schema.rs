//! `chaos schema`: the JSON Schema of a kind of file, by which editors complete and check it.

use super::read;
use crate::{
    args::{Schema, SchemaName},
    exit::Exit,
    machine::Machine,
};
use chaos_model::language::schema;

pub(crate) fn schema(machine: &Machine, args: &Schema) -> Exit {
    let schema = read::with_known(machine, |known| match args.name {
        SchemaName::Scenario => schema::scenario(known),
        SchemaName::System => schema::system(known),
        SchemaName::Attach => schema::attach(),
        SchemaName::Proxies => schema::proxies(known.protocols),
    });
    super::print("schema", format!("{schema:#}\n").as_bytes())
}
