//! Where a request differs from the vendor's description on purpose. An entry that no request needs fails the tests.

use super::description::fit;

/// One difference.
#[derive(Debug)]
pub struct Difference {
    vendor: &'static str,
    /// The operation as the description names it; a segment in braces stands for any one.
    operation: &'static str,
    /// The place, or what it is below of.
    place: &'static str,
    /// Why the request is right all the same, with the section of the vendor's fact sheet.
    reason: &'static str,
}

const DIFFERENCES: &[Difference] = &[
    difference(
        "dingtalk",
        "POST /topapi/v2/user/{call}",
        "operation",
        "the description leaves out the old API, which alone knows people (fact sheet §5)",
    ),
    difference(
        "dingtalk",
        "POST /topapi/message/corpconversation/asyncsend_v2",
        "operation",
        "the description leaves out the old API, which alone has work notices (fact sheet §5)",
    ),
    difference(
        "dingtalk",
        "POST /robot/send",
        "operation",
        "the description leaves out the old API, which has the robots of groups (fact sheet §5)",
    ),
    difference(
        "feishu",
        "GET /open-apis/bot/v3/info",
        "operation",
        "not among the files of the description (fact sheet §4)",
    ),
    difference(
        "feishu",
        "POST /open-apis/authen/v2/oauth/token",
        "operation",
        "the description knows only the version before (fact sheet §3)",
    ),
    difference(
        "github-issues",
        "DELETE /repos/{owner}/{repo}/issues/comments/{comment}",
        "operation",
        "left out of the part of the description that is at hand (fact sheet §5)",
    ),
    difference(
        "jira",
        "POST /oauth/token",
        "operation",
        "tokens are not described (fact sheet §3)",
    ),
    difference(
        "jira",
        "GET /oauth/token/accessible-resources",
        "operation",
        "tokens are not described (fact sheet §3)",
    ),
    difference(
        "linear",
        "POST /oauth/token",
        "operation",
        "tokens are not described (fact sheet §3)",
    ),
    difference(
        "monday",
        "POST /oauth_ms/oauth/token",
        "operation",
        "tokens are not described (fact sheet §3)",
    ),
    difference(
        "slack",
        "POST /api/auth.test",
        "operation",
        "described as GET; every method takes POST (fact sheet §4)",
    ),
    difference(
        "slack",
        "POST /api/oauth.v2.access",
        "operation",
        "described as GET; every method takes POST (fact sheet §3)",
    ),
    difference(
        "slack",
        "GET /api/{method}",
        "query/token",
        "the token is in the header Authorization (fact sheet §3)",
    ),
    difference(
        "slack",
        "POST /api/{method}",
        "header/token",
        "the token is in the header Authorization (fact sheet §3)",
    ),
    difference(
        "teams",
        "POST /login/{tenant}/oauth2/v2.0/token",
        "operation",
        "tokens are not described (fact sheet §3)",
    ),
    difference(
        "twenty",
        "POST /oauth/token",
        "operation",
        "tokens are not described (fact sheet §3)",
    ),
    difference(
        "twenty",
        "POST /metadata",
        "operation",
        "described by types of a client, which has `currentWorkspace` with its id and name (fact sheet §4)",
    ),
    difference(
        "zoho",
        "POST /oauth/v2/token",
        "operation",
        "tokens are not described (fact sheet §3)",
    ),
    difference(
        "feishu",
        "POST /open-apis/bot/v2/hook/{bot}",
        "operation",
        "robots of groups are not described (fact sheet §4)",
    ),
    difference(
        "feishu",
        "POST /open-apis/bitable/v1/apps/{app}/tables/{table}/records",
        "body/fields",
        "described as text; it is an object (fact sheet §5)",
    ),
    difference(
        "feishu",
        "PUT /open-apis/bitable/v1/apps/{app}/tables/{table}/records/{record}",
        "body/fields",
        "described as text; it is an object (fact sheet §5)",
    ),
    difference(
        "feishu",
        "POST /open-apis/bitable/v1/apps/{app}/tables/{table}/records/batch_create",
        "body/records",
        "its `fields` are described as text; they are an object (fact sheet §5)",
    ),
    difference(
        "feishu",
        "POST /open-apis/bitable/v1/apps/{app}/tables/{table}/records/batch_update",
        "body/records",
        "its `fields` are described as text; they are an object (fact sheet §5)",
    ),
    difference(
        "notion",
        "POST /v1/oauth/token",
        "operation",
        "tokens are not described (fact sheet §3)",
    ),
    difference(
        "notion",
        "POST /v1/pages",
        "body/parent",
        "`dataSourceIdParentRequest` is described with the member `database_id` (fact sheet §10)",
    ),
    difference(
        "salesforce",
        "POST /services/oauth2/token",
        "operation",
        "this kind of grant is newer than the description (fact sheet §3)",
    ),
    difference(
        "salesforce",
        "PATCH /services/data/{version}/sobjects/{object}/{field}/{key}",
        "operation",
        "the description has the external id for reading only (fact sheet §6)",
    ),
    difference(
        "salesforce",
        "PATCH /services/data/{version}/composite/sobjects/{object}/{field}",
        "operation",
        "the description has no upsert of collections (fact sheet §6)",
    ),
    difference(
        "salesforce",
        "PATCH /services/data/{version}/composite/sobjects",
        "operation",
        "the description names the object in the path, which needs none (fact sheet §6)",
    ),
    difference(
        "salesforce",
        "DELETE /services/data/{version}/composite/sobjects",
        "operation",
        "the description names the object in the path, which needs none (fact sheet §6)",
    ),
    difference(
        "slack",
        "GET /api/conversations.history",
        "query/include_all_metadata",
        "newer than the description (fact sheet §7)",
    ),
    difference(
        "slack",
        "POST /api/chat.postMessage",
        "body/blocks",
        "described as JSON in a form; a JSON body holds the list itself (fact sheet §5)",
    ),
    difference(
        "slack",
        "POST /api/chat.postMessage",
        "body/metadata",
        "newer than the description (fact sheet §5)",
    ),
    difference(
        "zoho",
        "POST /crm/v8/Notes",
        "body/data",
        "described with all that an answer has as required (fact sheet §5)",
    ),
    difference(
        "zoho",
        "POST /crm/v8/settings/fields",
        "body/fields",
        "described with all that an answer has as required (fact sheet §5)",
    ),
];

const fn difference(
    vendor: &'static str,
    operation: &'static str,
    place: &'static str,
    reason: &'static str,
) -> Difference {
    Difference {
        vendor,
        operation,
        place,
        reason,
    }
}

/// Those of one vendor with their numbers.
pub fn of(vendor: &str) -> impl Iterator<Item = (usize, &'static Difference)> {
    DIFFERENCES
        .iter()
        .enumerate()
        .filter(move |(_, difference)| difference.vendor == vendor)
}

/// The number of the entry that covers a fault.
pub fn find(vendor: &str, operation: &str, place: &str) -> Option<usize> {
    let covers = |difference: &Difference| {
        let below = place.strip_prefix(difference.place);
        let is_placeholder = |segment: &str| segment.starts_with('{') && segment.ends_with('}');
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            && fit(difference.operation, operation, is_placeholder).is_some()
    };
    of(vendor).find(|(_, difference)| covers(difference)).map(|(at, _)| at)
}

#[test]
fn every_difference_names_a_section_of_the_fact_sheet() {
    for difference in DIFFERENCES {
        assert!(difference.reason.contains("fact sheet §"), "{difference:?}");
    }
}
