//! `chaos schema`: the JSON Schema of a kind of file, by which editors complete and check it.

use crate::{
    args::{Schema, SchemaName},
    exit::Exit,
};
use chaos_model::{Protocol, language::schema};

pub(crate) fn schema(args: &Schema) -> Exit {
    let schema = match args.name {
        SchemaName::Scenario => schema::scenario(Protocol::ALL),
        SchemaName::System => schema::system(Protocol::ALL),
        SchemaName::Attach => schema::attach(),
        SchemaName::Proxies => schema::proxies(Protocol::ALL),
    };
    super::print("schema", format!("{schema:#}\n").as_bytes())
}
