//! One answer with the answer to each record's own request in it → what it means for each.

use switchboard_model::outcome::Outcome;

use super::{BulkAnswer, envelope, pack::Group, whole::whole};
use crate::{account::Call, call::Answer, connector::id_layer, operation::Operation, rule::unexpected};

/// Reads each part as [`Connector::read`](crate::connector::Connector::read) reads the answer to a single request. The parts are in the
/// order of the requests; a record whose part is not there as a whole is unknown.
pub(super) fn read(group: &Group<'_>, way: &Operation, calls: &[&Call], answer: &Answer) -> BulkAnswer {
    let Some(first) = calls.first() else {
        return BulkAnswer::Each(Vec::new());
    };
    let Some(opened) = envelope::open(answer, calls.len()) else {
        return BulkAnswer::Whole(whole(group, way, calls, answer));
    };
    let id = id_layer(first);
    // Some of it was carried out, or it would not speak in parts: no rule about refused requests holds here.
    if !group.plan.when.holds(answer, &group.scope(first, &id)) {
        return BulkAnswer::Whole(unknown(unexpected(answer)));
    }
    if opened.is_off(calls.len()) {
        let (sent, got) = (calls.len(), opened.answers.len());
        let message = format!("{sent} requests were sent in one, and the answer has {got} parts");
        return BulkAnswer::Whole(unknown(message));
    }
    let each = calls.iter().enumerate().map(|(at, call)| match opened.answers.get(at) {
        Some(Some(part)) => {
            let (object, account) = (&group.object.name, group.account);
            group.connector.read(object, group.kind, account, call, part)
        }
        Some(None) => unknown("the part of the answer about this record is no answer of HTTP".into()),
        None => unknown("the answer ends before it speaks about this record".into()),
    });
    BulkAnswer::Each(each.collect())
}

fn unknown(message: String) -> Outcome {
    Outcome::Unknown { message }
}
