//! The variables that mappings and conditions can read: what senders usually say about an event, and what the hub derives.
//!
//! Events are open, a sender may say more. So a name that is not here is no mistake for sure, only a likely one.

/// A variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The event types that have it: `*`, a family (`call.*`) or one type each.
    pub of: &'static [&'static str],
    /// One line for the documentation.
    pub doc: &'static str,
}

const fn of(of: &'static [&'static str], name: &'static str, doc: &'static str) -> Variable {
    Variable { name, of, doc }
}

const ALL: &[&str] = &["*"];
const ENQUIRIES: &[&str] = &["message.*", "lead.*", "form.*", "call.*", "ticket.*"];
const MESSAGES: &[&str] = &["message.*", "form.*", "ticket.*"];
const CALLS: &[&str] = &["call.*"];
const RECORDS: &[&str] = &[
    "contact.*",
    "person.*",
    "company.*",
    "opportunity.*",
    "task.*",
    "ticket.*",
    "order.*",
];
const SALES: &[&str] = &["order.*", "opportunity.*", "invoice.*", "payment.*", "lead.*"];

/// Every variable that is known, by theme.
pub const VARIABLES: &[Variable] = &[
    of(ALL, "event", "everything that the sender said, as one object"),
    of(ALL, "eventId", "the event's id in the hub"),
    of(ALL, "eventType", "the event's type, for example `message.received`"),
    of(ALL, "receivedAt", "when it was received, RFC 3339"),
    of(
        ALL,
        "eventTime",
        "the same, and the moment of acceptance where the sender gave none that can be read",
    ),
    of(ALL, "platform", "where it comes from: `whatsapp`, `website` …"),
    of(ALL, "tenantName", "the customer's company, as the messenger knows it"),
    of(ALL, "tags", "a list of words"),
    of(
        ALL,
        "payload",
        "the body that was pushed, where a source keeps it whole",
    ),
    of(ALL, "channels", "what the route says about channels"),
    of(ALL, "recipients", "what the route says about recipients"),
    of(ENQUIRIES, "senderId", "the sender's id in the messenger"),
    of(ENQUIRIES, "senderName", "the sender's full name"),
    of(
        ENQUIRIES,
        "senderFirstName",
        "the given name; taken from the full name when it is missing",
    ),
    of(
        ENQUIRIES,
        "senderLastName",
        "the family name; taken from the full name when it is missing",
    ),
    of(ENQUIRIES, "senderEmail", "the sender's e-mail address"),
    of(ENQUIRIES, "senderPhone", "the sender's telephone number"),
    of(ENQUIRIES, "companyName", "the sender's company"),
    of(ENQUIRIES, "companyWebsite", "the site of the sender's company"),
    of(ENQUIRIES, "assigneeUserId", "who is to deal with it"),
    of(ENQUIRIES, "managerUserId", "whose team it is"),
    of(ENQUIRIES, "systemUserId", "in whose name it is entered"),
    of(MESSAGES, "messageId", "the message's id in the messenger"),
    of(MESSAGES, "messageContent", "the text"),
    of(MESSAGES, "subject", "the subject"),
    of(MESSAGES, "category", "what it is about"),
    of(MESSAGES, "priority", "how urgent it is"),
    of(MESSAGES, "classified", "what the classifier has added, and why"),
    of(MESSAGES, "conversationId", "the conversation that it belongs to"),
    of(MESSAGES, "inReplyTo", "the message that it answers"),
    of(MESSAGES, "references", "the messages before it"),
    of(CALLS, "type", "`incoming` or `outgoing`"),
    of(CALLS, "status", "how the call ended"),
    of(CALLS, "duration", "how long it took, in seconds"),
    of(CALLS, "date", "when it began"),
    of(CALLS, "employee", "who took part on our side"),
    of(CALLS, "customer", "the customer's number in another system"),
    of(CALLS, "recording", "the address of the recording"),
    of(RECORDS, "id", "the record's id"),
    of(RECORDS, "name", "the record's name"),
    of(RECORDS, "firstName", "the given name"),
    of(RECORDS, "lastName", "the family name"),
    of(RECORDS, "email", "the e-mail address"),
    of(RECORDS, "phone", "the telephone number"),
    of(RECORDS, "company", "the company"),
    of(RECORDS, "title", "the title"),
    of(RECORDS, "status", "where it stands"),
    of(RECORDS, "owner", "who is responsible for it"),
    of(RECORDS, "notes", "what was noted"),
    of(RECORDS, "changes", "what has changed, by field, `from` and `to`"),
    of(RECORDS, "source", "where the change comes from"),
    of(SALES, "amount", "how much it is about"),
    of(SALES, "value", "how much it is worth"),
    of(SALES, "currency", "in which currency (ISO 4217)"),
    of(SALES, "stage", "the stage of the sale"),
    of(ALL, "personId", "a person's id in the other system"),
    of(ALL, "contactId", "a contact's id in the other system"),
    of(ALL, "companyId", "a company's id in the other system"),
    of(ALL, "organizationId", "an organisation's id in the other system"),
    of(ALL, "customerId", "a customer's id in the other system"),
    of(ALL, "leadId", "a lead's id in the other system"),
    of(ALL, "dealId", "a deal's id in the other system"),
    of(ALL, "taskId", "a task's id in the other system"),
    of(ALL, "externalUserId", "an external user's id in the other system"),
    of(ALL, "parentId", "the id of what it belongs to in the other system"),
    of(
        ALL,
        "parentModule",
        "the kind of what it belongs to in the other system",
    ),
];

/// The names of the variables that an event of these types has; every name when no type is given. Types may be families or `*`.
pub fn variables_of<'t>(types: impl IntoIterator<Item = &'t str>) -> Vec<&'static str> {
    let types: Vec<&str> = types.into_iter().collect();
    let wanted =
        |variable: &&Variable| types.is_empty() || variable.of.iter().any(|of| types.iter().any(|kind| meet(of, kind)));
    let mut names: Vec<&str> = VARIABLES.iter().filter(wanted).map(|variable| variable.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether two patterns of event types have any type in common.
fn meet(a: &str, b: &str) -> bool {
    let family = |pattern: &'_ str| -> String { pattern.split('.').next().unwrap_or_default().to_owned() };
    match (a, b) {
        ("*", _) | (_, "*") => true,
        _ if a.ends_with(".*") || b.ends_with(".*") => family(a) == family(b),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_its_own_variables_and_those_of_all() {
        let call = variables_of(["call.finished"]);
        assert!(call.contains(&"duration") && call.contains(&"eventId") && !call.contains(&"messageContent"));
        let any = variables_of(["*"]);
        assert_eq!(any, variables_of([]));
        assert!(variables_of(["message.*"]).contains(&"category"));
    }

    #[test]
    fn no_type_has_a_variable_twice() {
        for (at, one) in VARIABLES.iter().enumerate() {
            for other in &VARIABLES[..at] {
                let shared = one.of.iter().any(|a| other.of.iter().any(|b| meet(a, b)));
                assert!(one.name != other.name || !shared, "{}", one.name);
            }
        }
    }
}
