//! The duplicate rule of the org: leads and contacts with an e-mail address that another one has (fact sheet §7).

use serde_json::{Value, json};

use super::schema::{Field, Object};
use super::settings::DuplicateRule;
use super::store::Store;
use super::trouble::Trouble;

/// Refuses a new record that the rule finds to be like another one.
///
/// # Errors
/// `DUPLICATES_DETECTED` with the ids of the records that are there.
pub fn check(
    rule: DuplicateRule,
    insist: bool,
    store: &Store,
    object: &Object,
    given: &[(Field, Value)],
) -> Result<(), Trouble> {
    let allowed = match rule {
        DuplicateRule::Off => true,
        DuplicateRule::Alert => insist,
        DuplicateRule::Block => false,
    };
    let email = given.iter().find(|(field, _)| field.name == "Email");
    let (false, "Lead" | "Contact", Some((field, Value::String(email)))) = (allowed, object.name, email) else {
        return Ok(());
    };
    let found = store.find(object, field, email).unwrap_or_default();
    if found.is_empty() {
        return Ok(());
    }
    let matches: Vec<Value> = found.iter().map(|record| one_match(object, &record.id)).collect();
    let message = "Use one of these records?";
    let mut trouble = Trouble::new(400, "DUPLICATES_DETECTED", message);
    let result = json!({
        "allowSave": rule == DuplicateRule::Alert,
        "duplicateRule": format!("Standard_{}_Duplicate_Rule", object.name),
        "duplicateRuleEntityType": object.name,
        "errorMessage": message,
        "matchResults": [{
            "entityType": object.name,
            "errors": [],
            "matchEngine": "FuzzyMatchEngine",
            "matchRecords": matches,
            "rule": format!("Standard_{}_Match_Rule_v1_0", object.name),
            "size": matches.len(),
            "success": true,
        }],
    });
    trouble.duplicate_result = Some(Box::new(result));
    Err(trouble)
}

fn one_match(object: &Object, id: &str) -> Value {
    let url = format!("/services/data/v68.0/sobjects/{}/{id}", object.name);
    json!({
        "additionalInformation": [],
        "fieldDiffs": [],
        "matchConfidence": 100.0,
        "record": {"attributes": {"type": object.name, "url": url}, "Id": id},
    })
}
