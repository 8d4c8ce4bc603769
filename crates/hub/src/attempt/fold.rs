//! Several changes of one record become one: what the vendor holds afterwards is the same as if each had been sent.

use serde_json::Value;

/// What one delivery does to its record.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// These fields get these values; the record is made if it is not there.
    Write(Value),
    /// The record goes. What is known of it helps to find it.
    Remove(Value),
}

/// The first of `changes` that can be one call, and how many of them that is: writes, each over the ones before it field by field, and at most
/// one removal, which ends them and makes them needless. A write behind a removal makes a new record: that is another call.
pub(super) fn fold(changes: impl IntoIterator<Item = Change>) -> Option<(Change, usize)> {
    let mut changes = changes.into_iter();
    let mut folded = changes.next()?;
    let mut count = 1;
    for change in changes {
        match (&mut folded, change) {
            (Change::Remove(_), _) => break,
            (Change::Write(before), Change::Write(after)) => overlay(before, after),
            (Change::Write(_), removal @ Change::Remove(_)) => folded = removal,
        }
        count += 1;
    }
    Some((folded, count))
}

/// The last write of a field wins. Only the outermost members are fields: what lies deeper is one value to the vendor.
fn overlay(before: &mut Value, after: Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => before.extend(after),
        (before, after) => *before = after,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A vendor that keeps one record: made or changed by a write, gone after a removal.
    fn apply(state: &mut Option<BTreeMap<String, Value>>, change: &Change) {
        match change {
            Change::Remove(_) => *state = None,
            Change::Write(fields) => {
                let record = state.get_or_insert_default();
                for (name, value) in fields.as_object().unwrap() {
                    record.insert(name.clone(), value.clone());
                }
            }
        }
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        let value = prop_oneof![
            any::<i8>().prop_map(Value::from),
            "[a-zа-я张]{0,3}".prop_map(Value::from),
            Just(Value::Null),
            prop::collection::btree_map("[a-b]", any::<bool>(), 0..2).prop_map(|map| json!(map)),
        ];
        let fields = prop::collection::btree_map("[a-d]", value, 0..4);
        let change = prop_oneof![6 => fields.prop_map(|fields| Change::Write(json!(fields))), 1 => Just(Change::Remove(Value::Null))];
        prop::collection::vec(change, 0..20)
    }

    proptest! {
        #[test]
        fn folded_and_unfolded_execution_leave_the_same_state_at_the_vendor(
            before in prop::option::of(prop::collection::btree_map("[a-d]", any::<i8>().prop_map(Value::from), 0..4)),
            all in changes()
        ) {
            let mut one_by_one = before.clone();
            all.iter().for_each(|change| apply(&mut one_by_one, change));
            let mut folded = before;
            let mut rest = &all[..];
            let mut calls = 0;
            while let Some((change, count)) = fold(rest.iter().cloned()) {
                prop_assert!(count >= 1);
                apply(&mut folded, &change);
                rest = &rest[count..];
                calls += 1;
            }
            prop_assert_eq!(folded, one_by_one);
            let removals = all.iter().filter(|change| matches!(change, Change::Remove(_))).count();
            prop_assert!(calls <= removals + 1, "{} calls for {} removals", calls, removals);
        }
    }

    #[test]
    fn a_thousand_writes_are_one_and_the_last_one_of_a_field_wins() {
        let writes = (0..1_000).map(|n| Change::Write(json!({"n": n, format!("f{}", n % 3): n})));
        let (folded, count) = fold(writes).unwrap();
        assert_eq!(count, 1_000);
        assert_eq!(
            folded,
            Change::Write(json!({"n": 999, "f0": 999, "f1": 997, "f2": 998}))
        );
    }
}
