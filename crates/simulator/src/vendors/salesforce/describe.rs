//! What the org says of itself: versions, objects, fields (fact sheet §2, §5).

use serde_json::{Value, json};

use super::schema::{Access, Field, Kind, Object, Schema};

/// The oldest version that is served; older ones are retired.
pub const OLDEST: u32 = 31;
/// The newest version.
pub const NEWEST: u32 = 68;
/// The oldest version that existed and is retired.
pub const OLDEST_RETIRED: u32 = 21;

/// `GET /services/data`.
#[must_use]
pub fn versions() -> Value {
    let of = |version: u32| {
        // Three releases a year; 31 was Summer '14, and a winter bears the name of the following year.
        let (year, release) = (14 + (version - OLDEST) / 3, (version - OLDEST) % 3);
        let label = match release {
            0 => format!("Summer '{year}"),
            1 => format!("Winter '{}", year + 1),
            _ => format!("Spring '{}", year + 1),
        };
        json!({"label": label, "url": format!("/services/data/v{version}.0"), "version": format!("{version}.0")})
    };
    (OLDEST..=NEWEST).map(of).collect()
}

/// `GET …/sobjects`.
#[must_use]
pub fn objects(version: &str, schema: &Schema) -> Value {
    let objects: Vec<Value> = schema.objects.iter().map(|object| head(version, object)).collect();
    json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": objects})
}

/// `GET …/sobjects/{X}/describe`.
#[must_use]
pub fn object(version: &str, object: &Object) -> Value {
    let mut shown = head(version, object);
    shown["fields"] = object.fields.iter().map(field).collect();
    shown
}

fn head(version: &str, object: &Object) -> Value {
    let url = format!("/services/data/{version}/sobjects/{}", object.name);
    json!({
        "name": object.name,
        "label": object.name,
        "keyPrefix": object.prefix,
        "custom": false,
        "createable": object.createable,
        "updateable": object.createable,
        "deletable": object.createable,
        "queryable": true,
        "retrieveable": true,
        "urls": {"sobject": url, "describe": format!("{url}/describe"), "rowTemplate": format!("{url}/{{ID}}")},
    })
}

fn field(field: &Field) -> Value {
    let picklist: Vec<Value> = match field.kind {
        Kind::Picklist(values) => values.iter().map(|value| pick(value, field.default)).collect(),
        _ => Vec::new(),
    };
    let targets = match field.kind {
        Kind::Reference(targets) => targets,
        _ => &[],
    };
    json!({
        "name": field.name,
        "label": field.name.trim_end_matches("__c"),
        "type": field.kind.name(),
        "length": field.length,
        "nillable": !field.required && field.default.is_none() && field.kind != Kind::Boolean && field.kind != Kind::Id,
        "defaultedOnCreate": field.default.is_some() || field.kind == Kind::Boolean || field.name == "OwnerId",
        "createable": field.access != Access::Read,
        "updateable": field.access == Access::Write,
        "custom": field.name.ends_with("__c"),
        "externalId": field.external,
        "unique": field.unique,
        "caseSensitive": false,
        "idLookup": field.external || field.kind == Kind::Id || field.kind == Kind::Email,
        "restrictedPicklist": field.restricted,
        "picklistValues": picklist,
        "referenceTo": targets,
    })
}

fn pick(value: &str, default: Option<&str>) -> Value {
    json!({"active": true, "defaultValue": default == Some(value), "label": value, "value": value})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_have_the_names_of_the_sheet() {
        let versions = versions();
        let label = |version: u32| versions[(version - OLDEST) as usize]["label"].clone();
        assert_eq!(label(68), "Winter '27");
        assert_eq!(label(67), "Summer '26");
        assert_eq!(label(64), "Summer '25");
        assert_eq!(label(31), "Summer '14");
        assert_eq!(versions.as_array().unwrap().len(), 38);
    }
}
