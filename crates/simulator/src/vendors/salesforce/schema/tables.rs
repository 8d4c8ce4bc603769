//! The standard fields of the objects that the hub deals with.

use super::field::{Field, Kind};

/// An object as it stands in the tables below.
pub struct Table {
    pub name: &'static str,
    pub prefix: &'static str,
    pub createable: bool,
    pub with_external_id: bool,
    pub fields: &'static [Field],
}

const fn text(name: &'static str, length: usize) -> Field {
    Field::new(name, Kind::Text, length)
}

const fn long(name: &'static str, length: usize) -> Field {
    Field::new(name, Kind::LongText, length)
}

const fn phone(name: &'static str) -> Field {
    Field::new(name, Kind::Phone, 40)
}

const fn email(name: &'static str) -> Field {
    Field::new(name, Kind::Email, 80)
}

const fn pick(name: &'static str, values: &'static [&'static str]) -> Field {
    Field::new(name, Kind::Picklist(values), 255)
}

const fn plain(name: &'static str, kind: Kind) -> Field {
    Field::new(name, kind, 0)
}

const fn to(name: &'static str, objects: &'static [&'static str]) -> Field {
    Field::new(name, Kind::Reference(objects), 18)
}

const SALUTATIONS: &[&str] = &["Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."];
const SOURCES: &[&str] = &["Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"];
const RATINGS: &[&str] = &["Hot", "Warm", "Cold"];
const INDUSTRIES: &[&str] = &[
    "Agriculture",
    "Banking",
    "Consulting",
    "Education",
    "Energy",
    "Retail",
    "Technology",
    "Other",
];
const STAGES: &[&str] = &[
    "Prospecting",
    "Qualification",
    "Needs Analysis",
    "Value Proposition",
    "Id. Decision Makers",
    "Perception Analysis",
    "Proposal/Price Quote",
    "Negotiation/Review",
    "Closed Won",
    "Closed Lost",
];

/// The fields that stand first in every object.
pub fn first(table: &Table) -> impl Iterator<Item = Field> {
    // A comment has no owner, nor has a user; everything else belongs to somebody.
    let owned = table.createable && table.name != "CaseComment";
    let id = Field::new("Id", Kind::Id, 18).read_only();
    let deleted = plain("IsDeleted", Kind::Boolean).read_only();
    [Some(id), Some(deleted), owned.then_some(to("OwnerId", &["User"]))]
        .into_iter()
        .flatten()
}

/// The fields that stand last in every object.
pub const AUDIT: [Field; 5] = [
    plain("CreatedDate", Kind::DateTime).read_only(),
    to("CreatedById", &["User"]).read_only(),
    plain("LastModifiedDate", Kind::DateTime).read_only(),
    to("LastModifiedById", &["User"]).read_only(),
    plain("SystemModstamp", Kind::DateTime).read_only(),
];

const LEAD: &[Field] = &[
    text("LastName", 80).required(),
    text("FirstName", 40),
    pick("Salutation", SALUTATIONS),
    text("Name", 121).read_only(),
    text("Title", 128),
    text("Company", 255).required(),
    long("Street", 255),
    text("City", 40),
    text("State", 80),
    text("PostalCode", 20),
    text("Country", 80),
    phone("Phone"),
    phone("MobilePhone"),
    phone("Fax"),
    email("Email"),
    Field::new("Website", Kind::Url, 255),
    long("Description", 32_000),
    pick("LeadSource", SOURCES),
    pick(
        "Status",
        &[
            "Open - Not Contacted",
            "Working - Contacted",
            "Closed - Converted",
            "Closed - Not Converted",
        ],
    )
    .or("Open - Not Contacted"),
    pick("Industry", INDUSTRIES),
    pick("Rating", RATINGS),
    plain("AnnualRevenue", Kind::Currency),
    plain("NumberOfEmployees", Kind::Integer),
    plain("HasOptedOutOfEmail", Kind::Boolean),
    plain("DoNotCall", Kind::Boolean),
    plain("IsUnreadByOwner", Kind::Boolean),
    plain("IsConverted", Kind::Boolean).read_only(),
    plain("ConvertedDate", Kind::Date).read_only(),
    to("ConvertedAccountId", &["Account"]).read_only(),
    to("ConvertedContactId", &["Contact"]).read_only(),
    to("ConvertedOpportunityId", &["Opportunity"]).read_only(),
    plain("LastActivityDate", Kind::Date).read_only(),
];

const CONTACT: &[Field] = &[
    to("AccountId", &["Account"]),
    text("LastName", 80).required(),
    text("FirstName", 40),
    pick("Salutation", SALUTATIONS),
    text("Name", 121).read_only(),
    long("MailingStreet", 255),
    text("MailingCity", 40),
    text("MailingState", 80),
    text("MailingPostalCode", 20),
    text("MailingCountry", 80),
    phone("Phone"),
    phone("Fax"),
    phone("MobilePhone"),
    phone("HomePhone"),
    phone("OtherPhone"),
    phone("AssistantPhone"),
    text("AssistantName", 40),
    to("ReportsToId", &["Contact"]),
    email("Email"),
    text("Title", 128),
    text("Department", 80),
    pick("LeadSource", SOURCES),
    plain("Birthdate", Kind::Date),
    long("Description", 32_000),
    plain("HasOptedOutOfEmail", Kind::Boolean),
    plain("DoNotCall", Kind::Boolean),
    plain("LastActivityDate", Kind::Date).read_only(),
];

const ACCOUNT: &[Field] = &[
    text("Name", 255).required(),
    pick(
        "Type",
        &[
            "Prospect",
            "Customer - Direct",
            "Customer - Channel",
            "Partner",
            "Other",
        ],
    ),
    to("ParentId", &["Account"]),
    long("BillingStreet", 255),
    text("BillingCity", 40),
    text("BillingState", 80),
    text("BillingPostalCode", 20),
    text("BillingCountry", 80),
    long("ShippingStreet", 255),
    text("ShippingCity", 40),
    text("ShippingState", 80),
    text("ShippingPostalCode", 20),
    text("ShippingCountry", 80),
    phone("Phone"),
    phone("Fax"),
    text("AccountNumber", 40),
    Field::new("Website", Kind::Url, 255),
    text("Sic", 20),
    pick("Industry", INDUSTRIES),
    plain("AnnualRevenue", Kind::Currency),
    plain("NumberOfEmployees", Kind::Integer),
    pick("Ownership", &["Public", "Private", "Subsidiary", "Other"]),
    text("TickerSymbol", 20),
    long("Description", 32_000),
    pick("Rating", RATINGS),
    text("Site", 80),
    pick("AccountSource", SOURCES),
    plain("LastActivityDate", Kind::Date).read_only(),
];

const OPPORTUNITY: &[Field] = &[
    to("AccountId", &["Account"]),
    plain("IsPrivate", Kind::Boolean),
    text("Name", 120).required(),
    long("Description", 32_000),
    pick("StageName", STAGES).required(),
    plain("Amount", Kind::Currency),
    plain("Probability", Kind::Percent),
    plain("ExpectedRevenue", Kind::Currency).read_only(),
    plain("TotalOpportunityQuantity", Kind::Double),
    plain("CloseDate", Kind::Date).required(),
    pick(
        "Type",
        &[
            "Existing Customer - Upgrade",
            "Existing Customer - Replacement",
            "New Customer",
        ],
    ),
    text("NextStep", 255),
    pick("LeadSource", SOURCES),
    plain("IsClosed", Kind::Boolean).read_only(),
    plain("IsWon", Kind::Boolean).read_only(),
    plain("LastActivityDate", Kind::Date).read_only(),
];

const CASE: &[Field] = &[
    text("CaseNumber", 30).read_only(),
    to("ContactId", &["Contact"]),
    to("AccountId", &["Account"]),
    to("ParentId", &["Case"]),
    text("SuppliedName", 80),
    email("SuppliedEmail"),
    phone("SuppliedPhone"),
    text("SuppliedCompany", 80),
    pick(
        "Type",
        &["Mechanical", "Electrical", "Electronic", "Structural", "Other"],
    ),
    pick("Status", &["New", "Working", "Escalated", "Closed"]).or("New"),
    pick(
        "Reason",
        &["Installation", "Performance", "Breakdown", "Feedback", "Other"],
    ),
    pick("Origin", &["Phone", "Email", "Web"]),
    text("Subject", 255),
    pick("Priority", &["High", "Medium", "Low"]).or("Medium"),
    long("Description", 32_000),
    plain("IsClosed", Kind::Boolean).read_only(),
    plain("ClosedDate", Kind::DateTime).read_only(),
    plain("IsEscalated", Kind::Boolean),
];

const TASK: &[Field] = &[
    to("WhoId", &["Lead", "Contact"]),
    to("WhatId", &["Account", "Opportunity", "Case"]),
    text("Subject", 255),
    plain("ActivityDate", Kind::Date),
    pick(
        "Status",
        &[
            "Not Started",
            "In Progress",
            "Completed",
            "Waiting on someone else",
            "Deferred",
        ],
    )
    .or("Not Started"),
    pick("Priority", &["High", "Normal", "Low"]).or("Normal"),
    plain("IsHighPriority", Kind::Boolean).read_only(),
    long("Description", 32_000),
    plain("IsClosed", Kind::Boolean).read_only(),
    plain("CallDurationInSeconds", Kind::Integer),
    pick("CallType", &["Internal", "Inbound", "Outbound"]).restricted(),
    text("CallDisposition", 255),
    text("CallObject", 255),
    plain("ReminderDateTime", Kind::DateTime),
    plain("IsReminderSet", Kind::Boolean),
    pick(
        "TaskSubtype",
        &["Task", "Email", "ListEmail", "Cadence", "Call", "LinkedIn"],
    )
    .restricted()
    .create_only()
    .or("Task"),
    plain("CompletedDateTime", Kind::DateTime).read_only(),
];

const CASE_COMMENT: &[Field] = &[
    to("ParentId", &["Case"]).required().create_only(),
    plain("IsPublished", Kind::Boolean),
    long("CommentBody", 4_000),
];

const USER: &[Field] = &[
    text("Username", 80).read_only(),
    text("Name", 121).read_only(),
    email("Email").read_only(),
    plain("IsActive", Kind::Boolean).read_only(),
];

const fn table(name: &'static str, prefix: &'static str, with_external_id: bool, fields: &'static [Field]) -> Table {
    Table {
        name,
        prefix,
        createable: true,
        with_external_id,
        fields,
    }
}

/// All objects.
pub const ALL: &[Table] = &[
    table("Lead", "00Q", true, LEAD),
    table("Contact", "003", true, CONTACT),
    table("Account", "001", true, ACCOUNT),
    table("Opportunity", "006", true, OPPORTUNITY),
    table("Case", "500", true, CASE),
    table("Task", "00T", false, TASK),
    table("CaseComment", "00a", false, CASE_COMMENT),
    Table {
        name: "User",
        prefix: "005",
        createable: false,
        with_external_id: false,
        fields: USER,
    },
];
