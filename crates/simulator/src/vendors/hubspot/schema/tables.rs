//! Object types, properties, pipelines and association ids of a new portal.

use super::property::{Kind, Property};
use super::{ObjectType, Pipeline};

const fn object(
    (plural, singular, id): (&'static str, &'static str, &'static str),
    modified: &'static str,
    required: &'static [&'static str],
    scope: &'static str,
) -> ObjectType {
    ObjectType {
        plural,
        singular,
        id,
        modified,
        required,
        scope,
    }
}

const CONTACTS: &str = "crm.objects.contacts";
/// The engagements need a time and nothing else.
const WHEN: &[&str] = &["hs_timestamp"];

pub const TYPES: &[ObjectType] = &[
    object(("contacts", "contact", "0-1"), "lastmodifieddate", &[], CONTACTS),
    object(
        ("companies", "company", "0-2"),
        "hs_lastmodifieddate",
        &[],
        "crm.objects.companies",
    ),
    object(
        ("deals", "deal", "0-3"),
        "hs_lastmodifieddate",
        &["dealstage"],
        "crm.objects.deals",
    ),
    object(
        ("tickets", "ticket", "0-5"),
        "hs_lastmodifieddate",
        &["hs_pipeline_stage"],
        "tickets",
    ),
    object(
        ("leads", "lead", "0-136"),
        "hs_lastmodifieddate",
        &["hs_lead_name"],
        "crm.objects.leads",
    ),
    object(("notes", "note", "0-46"), "hs_lastmodifieddate", WHEN, CONTACTS),
    object(("meetings", "meeting", "0-47"), "hs_lastmodifieddate", WHEN, CONTACTS),
    object(("calls", "call", "0-48"), "hs_lastmodifieddate", WHEN, CONTACTS),
    object(("emails", "email", "0-49"), "hs_lastmodifieddate", WHEN, CONTACTS),
    object(("tasks", "task", "0-27"), "hs_lastmodifieddate", WHEN, CONTACTS),
    object(
        ("communications", "communication", "0-18"),
        "hs_lastmodifieddate",
        WHEN,
        CONTACTS,
    ),
];

/// Texts, numbers, moments and enumerations of a type.
struct Own {
    texts: &'static [&'static str],
    phones: &'static [&'static str],
    numbers: &'static [&'static str],
    moments: &'static [&'static str],
    choices: &'static [(&'static str, &'static [&'static str])],
}

const STAGES_OF_LIFE: &[&str] = &[
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
];

/// An engagement that has a time only.
const NONE: Own = Own {
    texts: &[],
    phones: &[],
    numbers: &[],
    moments: &["hs_timestamp"],
    choices: &[],
};

const CONTACT: Own = Own {
    texts: &[
        "email",
        "firstname",
        "lastname",
        "company",
        "jobtitle",
        "website",
        "address",
        "city",
        "state",
        "zip",
        "country",
        "message",
        "hs_language",
        "salutation",
    ],
    phones: &["phone", "mobilephone", "fax"],
    moments: &[],
    choices: &[
        ("lifecyclestage", STAGES_OF_LIFE),
        (
            "hs_lead_status",
            &[
                "NEW",
                "OPEN",
                "IN_PROGRESS",
                "OPEN_DEAL",
                "UNQUALIFIED",
                "ATTEMPTED_TO_CONTACT",
                "CONNECTED",
                "BAD_TIMING",
            ],
        ),
    ],
    ..NONE
};

const COMPANY: Own = Own {
    texts: &[
        "name",
        "domain",
        "description",
        "website",
        "address",
        "city",
        "state",
        "zip",
        "country",
        "industry",
    ],
    phones: &["phone"],
    numbers: &["numberofemployees", "annualrevenue"],
    moments: &[],
    choices: &[("lifecyclestage", STAGES_OF_LIFE)],
};

const DEAL: Own = Own {
    texts: &["dealname", "pipeline", "dealstage", "description"],
    numbers: &["amount"],
    moments: &["closedate"],
    choices: &[
        ("dealtype", &["newbusiness", "existingbusiness"]),
        ("hs_priority", &["low", "medium", "high"]),
    ],
    ..NONE
};

const TICKET: Own = Own {
    texts: &["subject", "content", "hs_pipeline", "hs_pipeline_stage"],
    moments: &["closed_date"],
    choices: &[
        ("hs_ticket_priority", &["LOW", "MEDIUM", "HIGH", "URGENT"]),
        (
            "hs_ticket_category",
            &["PRODUCT_ISSUE", "BILLING_ISSUE", "FEATURE_REQUEST", "GENERAL_INQUIRY"],
        ),
        ("source_type", &["CHAT", "EMAIL", "FORM", "PHONE"]),
    ],
    ..NONE
};

const LEAD: Own = Own {
    texts: &["hs_lead_name"],
    moments: &[],
    choices: &[
        ("hs_lead_type", &["NEW BUSINESS", "UPSELL", "RE-ATTEMPTING"]),
        ("hs_lead_label", &["HOT", "WARM", "COLD"]),
    ],
    ..NONE
};

const NOTE: Own = Own {
    texts: &["hs_note_body", "hs_attachment_ids"],
    ..NONE
};

const MEETING: Own = Own {
    texts: &["hs_meeting_title", "hs_meeting_body", "hs_meeting_location"],
    moments: &["hs_timestamp", "hs_meeting_start_time", "hs_meeting_end_time"],
    ..NONE
};

const CALL: Own = Own {
    texts: &[
        "hs_call_title",
        "hs_call_body",
        "hs_call_disposition",
        "hs_call_recording_url",
    ],
    phones: &["hs_call_from_number", "hs_call_to_number"],
    numbers: &["hs_call_duration"],
    choices: &[
        ("hs_call_direction", &["INBOUND", "OUTBOUND"]),
        (
            "hs_call_status",
            &[
                "BUSY",
                "CALLING_CRM_USER",
                "CANCELED",
                "COMPLETED",
                "CONNECTING",
                "FAILED",
                "IN_PROGRESS",
                "NO_ANSWER",
                "QUEUED",
                "RINGING",
            ],
        ),
    ],
    ..NONE
};

const EMAIL: Own = Own {
    texts: &["hs_email_subject", "hs_email_text", "hs_email_html"],
    choices: &[("hs_email_direction", &["EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL"])],
    ..NONE
};

const TASK: Own = Own {
    texts: &["hs_task_subject", "hs_task_body"],
    choices: &[
        (
            "hs_task_status",
            &["NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"],
        ),
        ("hs_task_priority", &["LOW", "MEDIUM", "HIGH"]),
        ("hs_task_type", &[concat!("TO", "DO"), "CALL", "EMAIL"]),
    ],
    ..NONE
};

const COMMUNICATION: Own = Own {
    texts: &["hs_communication_body"],
    choices: &[
        (
            "hs_communication_channel_type",
            &["WHATS_APP", "SMS", "LINKEDIN_MESSAGE", "PHYSICAL_MAIL"],
        ),
        ("hs_communication_logged_from", &["CRM"]),
    ],
    ..NONE
};

fn own(plural: &str) -> Own {
    match plural {
        "contacts" => CONTACT,
        "companies" => COMPANY,
        "deals" => DEAL,
        "tickets" => TICKET,
        "leads" => LEAD,
        "notes" => NOTE,
        "meetings" => MEETING,
        "calls" => CALL,
        "emails" => EMAIL,
        "tasks" => TASK,
        "communications" => COMMUNICATION,
        _ => NONE,
    }
}

/// The properties of a type beside those that all types have.
pub fn properties(plural: &str) -> Vec<Property> {
    let own = own(plural);
    let of = |names: &'static [&'static str], kind| names.iter().map(move |name| Property::standard(name, kind));
    let choices = own
        .choices
        .iter()
        .map(|(name, values)| Property::standard(name, Kind::Enumeration).choices(values));
    let mut all: Vec<Property> = of(own.texts, Kind::Text).chain(of(own.phones, Kind::Phone)).collect();
    all.extend(
        of(own.numbers, Kind::Number)
            .chain(of(own.moments, Kind::DateTime))
            .chain(choices),
    );
    if plural == "contacts" {
        all.push(Property::standard("hs_searchable_calculated_phone_number", Kind::Text).read_only());
        // Made by the user of the set-up guide.
        let made = Property::standard("lead_source", Kind::Text);
        all.push(Property {
            standard: false,
            ..made
        });
    }
    all
}

pub const DEAL_PIPELINES: &[Pipeline] = &[Pipeline {
    id: "default",
    label: "Sales Pipeline",
    stages: &[
        ("appointmentscheduled", "Appointment Scheduled"),
        ("qualifiedtobuy", "Qualified To Buy"),
        ("presentationscheduled", "Presentation Scheduled"),
        ("decisionmakerboughtin", "Decision Maker Bought-In"),
        ("contractsent", "Contract Sent"),
        ("closedwon", "Closed Won"),
        ("closedlost", "Closed Lost"),
    ],
}];

pub const TICKET_PIPELINES: &[Pipeline] = &[
    Pipeline {
        id: "0",
        label: "Support Pipeline",
        stages: &[
            ("1", "New"),
            ("2", "Waiting on contact"),
            ("3", "Waiting on us"),
            ("4", "Closed"),
        ],
    },
    // Made by the user of the set-up guide.
    Pipeline {
        id: "support_pipeline",
        label: "Support",
        stages: &[("new", "New"), ("in_progress", "In progress"), ("closed", "Closed")],
    },
];

pub const ASSOCIATIONS: &[(&str, &str, u64)] = &[
    ("contacts", "companies", 1),
    ("companies", "contacts", 2),
    ("deals", "contacts", 3),
    ("contacts", "deals", 4),
    ("deals", "companies", 5),
    ("companies", "deals", 6),
    ("contacts", "tickets", 15),
    ("tickets", "contacts", 16),
    ("companies", "tickets", 25),
    ("tickets", "companies", 26),
    ("deals", "tickets", 27),
    ("tickets", "deals", 28),
    ("communications", "contacts", 81),
    ("contacts", "communications", 82),
    ("communications", "tickets", 84),
    ("communications", "deals", 85),
    ("communications", "companies", 87),
    ("calls", "companies", 182),
    ("emails", "companies", 186),
    ("meetings", "companies", 188),
    ("notes", "companies", 190),
    ("tasks", "companies", 192),
    ("contacts", "calls", 193),
    ("calls", "contacts", 194),
    ("contacts", "emails", 197),
    ("emails", "contacts", 198),
    ("contacts", "meetings", 199),
    ("meetings", "contacts", 200),
    ("contacts", "notes", 201),
    ("notes", "contacts", 202),
    ("contacts", "tasks", 203),
    ("tasks", "contacts", 204),
    ("calls", "deals", 206),
    ("emails", "deals", 210),
    ("meetings", "deals", 212),
    ("notes", "deals", 214),
    ("tasks", "deals", 216),
    ("calls", "tickets", 220),
    ("emails", "tickets", 224),
    ("meetings", "tickets", 226),
    ("notes", "tickets", 228),
    ("tasks", "tickets", 230),
    ("leads", "contacts", 578),
    ("leads", "companies", 610),
];
