//! Every request that a connector makes, against the vendor's own description of its interface: does the operation exist, are its
//! parameters and members known and of the right type, is everything there that is required.
//!
//! The descriptions are not part of this repository. `SWITCHBOARD_SPECS` names the folder that has them; without it the tests
//! say so and pass. Known differences stand in [`differences`], each with its reason.

mod csdl;
mod description;
mod differences;
mod graphql;
mod members;
mod names;
mod openapi;
mod postman;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use crate::{
    course::{self, Made},
    examples,
};
use csdl::Csdl;
use description::{Checked, Description, Fault};
use differences::Difference;
use graphql::GraphQl;
use names::Names;
use openapi::OpenApi;
use postman::Collection;
use table::Table;

/// The folder of a vendor's description.
fn folder(vendor: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SWITCHBOARD_SPECS").map(|folder| PathBuf::from(folder).join(vendor));
    if folder.is_none() {
        println!(
            "skipped: SWITCHBOARD_SPECS is not set, the requests to {vendor} are not checked against its description"
        );
    }
    folder
}

/// What a vendor's descriptions, the first that knows the operation, say of each request of the connector.
fn check(slug: &'static str, descriptions: &[&dyn Description]) {
    let mut made = course::of_scenario(slug);
    made.extend(examples::connection(slug).iter().flat_map(course::of_connection));
    let mut operations = BTreeMap::<String, BTreeSet<String>>::new();
    let (mut open, mut met) = (BTreeMap::<String, String>::new(), BTreeSet::new());
    for made in &made {
        let checked = descriptions.iter().find_map(|description| description.check(made));
        let is_described = checked.is_some();
        let checked = checked.unwrap_or_else(|| undescribed(made));
        for fault in &checked.faults {
            match differences::find(slug, &checked.operation, &fault.place) {
                Some(known) => {
                    met.insert(known);
                }
                None => {
                    let line = format!("{}: {}: {}", checked.operation, fault.place, fault.detail);
                    open.entry(line)
                        .or_insert_with(|| format!("{}: {:?}", made.what, made.request));
                }
            }
        }
        if is_described {
            operations
                .entry(checked.operation)
                .or_default()
                .insert(made.what.clone());
        }
    }
    println!(
        "{slug}: {} requests, {} described operations",
        made.len(),
        operations.len()
    );
    for (operation, uses) in &operations {
        println!(
            "  {operation}: {}",
            Vec::from_iter(uses.iter().map(String::as_str)).join(", ")
        );
    }
    assert!(open.is_empty(), "{slug} differs from its description:\n{open:#?}");
    let unused: Vec<&Difference> = differences::of(slug)
        .filter(|(at, _)| !met.contains(at))
        .map(|(_, difference)| difference)
        .collect();
    assert!(
        unused.is_empty(),
        "these differences of {slug} are none any more: {unused:#?}"
    );
}

fn undescribed(made: &Made) -> Checked {
    Checked {
        operation: format!("{} {}", made.request.method, made.path()),
        faults: vec![Fault::new(
            "operation",
            "the vendor's description has no such operation",
        )],
    }
}

#[test]
fn every_request_to_clickup_is_one_that_clickup_describes() {
    let Some(folder) = folder("clickup") else { return };
    check(
        "clickup",
        &[&OpenApi::read(&folder, &["clickup-api-v2.openapi.json"], "/api")],
    );
}

#[test]
fn every_request_to_dingtalk_is_one_that_dingtalk_describes() {
    let Some(folder) = folder("dingtalk") else { return };
    check("dingtalk", &[&Table::read(&folder.join("dingtalk-ops-subset.json"))]);
}

#[test]
fn every_request_to_feishu_is_one_that_feishu_describes() {
    let Some(folder) = folder("feishu") else { return };
    let files = [
        "auth.yaml",
        "authen.yaml",
        "bitable.yaml",
        "contact.yaml",
        "im.yaml",
        "task.yaml",
    ];
    check("feishu", &[&OpenApi::read(&folder, &files, "")]);
}

#[test]
fn every_request_to_github_is_one_that_github_describes() {
    let Some(folder) = folder("github-issues") else { return };
    check(
        "github-issues",
        &[&OpenApi::read(&folder, &["github-issues-subset.openapi.json"], "")],
    );
}

#[test]
fn every_request_to_hubspot_is_one_that_hubspot_describes() {
    let Some(folder) = folder("hubspot") else { return };
    let files = [
        "contacts-2026-09.interface.json",
        "tickets-2026-09.interface.json",
        "properties-2026-09.interface.json",
        "account-info-2026-09.interface.json",
        "oauth-2026-03.interface.json",
        "owners-2026-09.interface.json",
        "pipelines-2026-09.interface.json",
        "associations-2026-09.interface.json",
    ];
    check("hubspot", &[&OpenApi::read(&folder, &files, "")]);
}

#[test]
fn every_request_to_jira_is_one_that_jira_describes() {
    let Some(folder) = folder("jira") else { return };
    let files = ["jira-platform-v3.openapi.json"];
    check("jira", &[&OpenApi::read(&folder, &files, "/ex/jira/{cloudId}")]);
}

#[test]
fn every_request_to_linear_is_one_that_linear_describes() {
    let Some(folder) = folder("linear") else { return };
    check(
        "linear",
        &[&GraphQl::read(&folder.join("linear-schema.graphql"), "/graphql")],
    );
}

#[test]
fn every_request_to_monday_is_one_that_monday_describes() {
    let Some(folder) = folder("monday") else { return };
    check(
        "monday",
        &[&GraphQl::read(&folder.join("monday-schema-subset.graphql"), "/v2")],
    );
}

#[test]
fn every_request_to_notion_is_one_that_notion_describes() {
    let Some(folder) = folder("notion") else { return };
    check("notion", &[&OpenApi::read(&folder, &["notion-openapi.json"], "")]);
}

#[test]
fn every_request_to_salesforce_is_one_that_salesforce_describes() {
    let Some(folder) = folder("salesforce") else { return };
    check(
        "salesforce",
        &[&Collection::read(&folder.join("postman-2021-subset.json"))],
    );
}

#[test]
fn every_request_to_slack_is_one_that_slack_describes() {
    let Some(folder) = folder("slack") else { return };
    check(
        "slack",
        &[&OpenApi::read(&folder, &["slack_web_openapi_v2.json"], "/api")],
    );
}

#[test]
fn every_request_to_teams_is_one_that_microsoft_describes() {
    let Some(folder) = folder("msgraph") else { return };
    check("teams", &[&Csdl::read(&folder.join("v1.0-Prod.csdl"), "/graph/v1.0")]);
}

#[test]
fn every_request_to_twenty_is_one_that_twenty_describes() {
    let Some(folder) = folder("twenty") else { return };
    check("twenty", &[&Names::read(&folder.join("standard-objects.json"))]);
}

#[test]
fn every_request_to_zoho_is_one_that_zoho_describes() {
    let Some(folder) = folder("zoho") else { return };
    let files = [
        "record.json",
        "module_search.json",
        "related_records.json",
        "notes.json",
        "coql.json",
        "fields.json",
        "modules.json",
        "users.json",
        "org.json",
        "tags.json",
        "common.json",
    ];
    check("zoho", &[&OpenApi::read(&folder, &files, "")]);
}
