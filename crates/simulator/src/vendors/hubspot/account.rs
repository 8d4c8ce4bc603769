//! What the portal says of itself: details, use of the allowance, owners (fact sheet §4).

use serde_json::{Value, json};

use super::limits::{Limits, UTC_OFFSET_MS, midnight_after};
use super::trouble::{PORTAL_ID, Trouble};
use super::values;
use crate::message::Reply;

/// `GET /account-info/{version}/details`.
#[must_use]
pub fn details() -> Reply {
    let body = json!({
        "portalId": PORTAL_ID,
        "accountType": "STANDARD",
        "timeZone": "Europe/Berlin",
        "companyCurrency": "EUR",
        "additionalCurrencies": [],
        "utcOffset": "+01:00",
        "utcOffsetMilliseconds": UTC_OFFSET_MS,
        "uiDomain": "app-eu1.hubspot.com",
        "dataHostingLocation": "eu1",
    });
    Reply::json(200, &body)
}

/// `GET /account-info/{version}/api-usage/daily/private-apps`.
#[must_use]
pub fn usage(limits: &Limits, now_ms: i64) -> Reply {
    let (limit, used) = limits.daily();
    let body = json!({"results": [{
        "name": "private-apps-api-calls-daily",
        "usageLimit": limit,
        "currentUsage": used,
        "collectedAt": values::moment(now_ms),
        "fetchStatus": "SUCCESS",
        "resetsAt": values::moment(midnight_after(now_ms)),
    }]});
    Reply::json(200, &body)
}

/// `GET /crm/owners/{version}`, or with the id of one.
///
/// # Errors
/// 404 for an owner that is not there.
pub fn owners(id: Option<&str>) -> Result<Reply, Trouble> {
    let all = [
        owner("41", 7, "Анна", "Петрова", "anna@example.org"),
        owner("42", 8, "伟", "王", "wei@example.org"),
    ];
    match id {
        None => Ok(Reply::json(200, &json!({ "results": all }))),
        Some(id) => match all.iter().find(|owner| owner["id"] == id) {
            Some(owner) => Ok(Reply::json(200, owner)),
            None => Err(Trouble::not_found(&format!("Owner {id} does not exist."))),
        },
    }
}

fn owner(id: &str, user_id: u64, first_name: &str, last_name: &str, email: &str) -> Value {
    json!({
        "id": id,
        "userId": user_id,
        "type": "PERSON",
        "firstName": first_name,
        "lastName": last_name,
        "email": email,
        "archived": false,
        "createdAt": "2026-01-05T09:00:00Z",
        "updatedAt": "2026-01-05T09:00:00Z",
    })
}
