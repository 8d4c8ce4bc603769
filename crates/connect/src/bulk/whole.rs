//! An answer that speaks about a request as a whole → what it means for each of its records.

use switchboard_model::outcome::Outcome;

use super::pack::Group;
use crate::{
    account::Call,
    call::Answer,
    connector::id_layer,
    operation::Operation,
    rule::{judge, unexpected},
};

/// What an answer about all records means for each; see [`super::BulkAnswer::Whole`].
pub(super) fn whole(group: &Group<'_>, way: &Operation, calls: &[&Call], answer: &Answer) -> Outcome {
    let Some(first) = calls.first() else {
        return Outcome::Unknown {
            message: unexpected(answer),
        };
    };
    let id = id_layer(first);
    let scope = group.scope(first, &id);
    let rules = group.object.rules.iter().chain(&group.connector.rules);
    let outcome = judge(rules, answer, group.around(way, &scope));
    let several = calls.len() > 1;
    let refused = |message: &str| Outcome::Rejected {
        message: message.to_owned(),
        fields: Vec::new(),
    };
    match group.connector.without_refresh(outcome, group.account) {
        Outcome::Duplicate { .. } if several => refused("one of the records is there already"),
        Outcome::Missing if several => refused("one of the records is not there"),
        Outcome::Delivered { .. } => Outcome::Unknown {
            message: unexpected(answer),
        },
        // A good answer that says too little (a page of many, say) may say enough about fewer records, and asking
        // is harmless.
        Outcome::Unknown { message } if group.kind.is_read() && several && (200..300).contains(&answer.status) => {
            refused(&message)
        }
        other => other,
    }
}
