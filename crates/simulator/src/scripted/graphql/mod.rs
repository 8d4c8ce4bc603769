//! GraphQL for vendors that speak it: a query is read into plain maps, and an answer is cut to what was asked for. What the
//! fields mean is the script's business.

mod operation;
mod selection;

use rhai::{Array, Dynamic, Engine, Map};

/// `graphql(query, variables)`, `graphql(query, variables, operation)` and `pick(row, fields)`.
pub fn register(engine: &mut Engine) {
    engine.register_fn("graphql", |query: Dynamic, variables: Dynamic| {
        operation::read(&query, &variables, None)
    });
    engine.register_fn("graphql", |query: Dynamic, variables: Dynamic, name: Dynamic| {
        let name = name.into_immutable_string().ok().filter(|name| !name.is_empty());
        operation::read(&query, &variables, name.as_deref())
    });
    engine.register_fn("pick", |row: Map, fields: Array| {
        selection::cut(&Dynamic::from_map(row), &fields)
    });
    engine.register_fn("pick", |rows: Array, fields: Array| {
        selection::cut(&Dynamic::from_array(rows), &fields)
    });
    engine.register_fn("pick", |(): (), _: Array| Dynamic::UNIT);
}
