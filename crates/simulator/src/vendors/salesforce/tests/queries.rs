//! SOQL against stored records.

use super::*;

#[test]
fn conditions_find_what_they_say() {
    let mut caller = Caller::new();
    let mut ids = Vec::new();
    for (name, email, city, employees) in [
        ("O'Neil", Some("a@example.org"), Some("Köln"), 5),
        ("Петрова", Some("B@example.org"), None, 50),
        ("李", None, Some("北京"), 500),
    ] {
        caller.now_ms += 1_000;
        let body =
            json!({"LastName": name, "Company": "C", "Email": email, "City": city, "NumberOfEmployees": employees});
        ids.push(caller.make("Lead", &body));
    }
    for (condition, expected) in [
        (r"LastName = 'O\'Neil'", vec![0]),
        ("Email = 'b@EXAMPLE.org' AND IsConverted = false", vec![1]),
        ("Email = 'b@example.org' AND City = 'Köln'", vec![]),
        ("Email IN ('a@example.org', 'b@example.org')", vec![0, 1]),
        ("Email NOT IN ('a@example.org')", vec![1, 2]),
        ("Email = null", vec![2]),
        ("City != 'Köln'", vec![1, 2]),
        ("NumberOfEmployees >= 50 AND NumberOfEmployees < 500", vec![1]),
        ("(City = '北京' OR City = 'köln') AND NOT LastName LIKE 'o%'", vec![2]),
        ("SystemModstamp > 2026-11-20T10:15:31Z", vec![1, 2]),
        ("SystemModstamp >= 2026-11-20T12:15:33+02:00", vec![2]),
        ("IsDeleted = true", vec![]),
    ] {
        let found = caller.query(&format!("SELECT Id FROM Lead WHERE {condition} ORDER BY CreatedDate"));
        let expected: Vec<String> = expected.into_iter().map(|index: usize| ids[index].clone()).collect();
        assert_eq!(found, Ok(expected), "{condition}");
    }
    let by_id = format!("SELECT Id FROM Lead WHERE Id = '{}'", &ids[1][..15]);
    assert_eq!(caller.query(&by_id), Ok(vec![ids[1].clone()]));
    let last = caller.query("SELECT Id FROM Lead ORDER BY City DESC NULLS LAST, Id LIMIT 1 OFFSET 1");
    assert_eq!(last, Ok(vec![ids[0].clone()]));
}

#[test]
fn refusals_have_the_codes_of_the_sheet() {
    let mut caller = Caller::new();
    for (text, expected) in [
        ("SELECT Id FROM Lead WHERE Email = 'O'Neil'", "MALFORMED_QUERY"),
        ("SELECT Id, Foo__c FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Foo__c = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead ORDER BY Foo__c", "INVALID_FIELD"),
        (
            "SELECT Id FROM Lead WHERE SystemModstamp > '2026-11-01T10:00:00Z'",
            "INVALID_FIELD",
        ),
        ("SELECT Id FROM Lead WHERE Email = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id, Owner.Name FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Foo", "INVALID_TYPE"),
    ] {
        assert_eq!(caller.query(text), Err(expected.to_owned()), "{text}");
    }
    assert_eq!(code(&caller.get("/query")), "MALFORMED_QUERY");
}

#[test]
fn a_long_result_comes_in_pages() {
    let mut caller = Caller::new();
    let body = json!({"records": vec![json!({"attributes": {"type": "Lead"}, "LastName": "A", "Company": "B"}); 150]});
    for _ in 0..3 {
        caller.post("/composite/sobjects", &body);
    }
    let first = Request::new(Method::GET, &format!("{DATA}/query?q=SELECT+Id+FROM+Lead+ORDER+BY+Id"))
        .with_header("sforce-query-options", "batchSize=200");
    let mut page = caller.send(first).value();
    let mut sizes = Vec::new();
    let mut seen = std::collections::HashSet::new();
    loop {
        let records = page["records"].as_array().unwrap();
        sizes.push(records.len());
        seen.extend(records.iter().map(|record| record["Id"].to_string()));
        assert_eq!(page["totalSize"], 450);
        let Some(next) = page["nextRecordsUrl"].as_str() else {
            break;
        };
        assert_eq!(page["done"], false);
        page = caller.send(Request::new(Method::GET, next)).value();
    }
    assert_eq!(
        (sizes, seen.len(), &page["done"]),
        (vec![200, 200, 50], 450, &json!(true))
    );
    assert_eq!(code(&caller.get("/query/01gnone-1")), "INVALID_QUERY_LOCATOR");
}

#[test]
fn deleted_records_are_seen_by_query_all_only_and_count_counts() {
    let mut caller = Caller::new();
    let id = caller.make("Lead", &lead("A"));
    caller.make("Lead", &lead("B"));
    caller.delete(&format!("/sobjects/Lead/{id}"));
    let all = caller
        .get("/queryAll?q=SELECT+Id,IsDeleted,SystemModstamp+FROM+Lead+WHERE+IsDeleted=true")
        .value();
    assert_eq!(
        (&all["records"][0]["Id"], &all["records"][0]["IsDeleted"]),
        (&json!(id), &json!(true))
    );
    assert_eq!(caller.get("/query?q=SELECT+COUNT()+FROM+Lead").value()["totalSize"], 1);
    let user = caller.get("/query?q=SELECT+Id+FROM+User+LIMIT+1").value();
    assert_eq!(user["records"][0]["Id"], USER_ID);
}
