//! Lists of records: filtered, sorted, page by page.

use std::sync::Arc;

use serde_json::{Value, json};
use switchboard_model::record::{Policy, check, standard};

use super::{
    super::{
        bench::{Bench, NOW},
        fixture::Fixture,
    },
    mail,
};
use crate::store::{Compare, Filter, How, RecordQuery, RecordRow, RecordWrite, SortBy};

/// Who is in a list, by the digit in their addresses.
fn emails(rows: Vec<RecordRow>) -> String {
    let each = rows.iter();
    each.map(|row| row.data["email"].as_str().unwrap()[1..2].to_owned())
        .collect()
}

#[expect(
    clippy::cognitive_complexity,
    reason = "one story, told from its beginning to its end"
)]
pub(in crate::store::contract) async fn by_field(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    for (at, city) in ["Riga", "Минск", "Hanoi", "Ab", "广州"].iter().enumerate() {
        let data = json!({"email": format!("p{at}@example.org"), "city": city, "marketingConsent": at % 2 == 0});
        fixture.upsert(data).await;
    }
    fixture.upsert(json!({"email": "p9@example.org"})).await;
    let list = async |filters, sort, descending| emails(fixture.list_records(filters, sort, descending).await);
    assert_eq!(list(vec![], SortBy::Id, false).await, "012349");
    assert_eq!(list(vec![], SortBy::Id, true).await, "943210");
    assert_eq!(list(vec![], SortBy::Updated, true).await, "943210");
    assert_eq!(list(vec![], SortBy::Text("city".into()), false).await, "320149");
    assert_eq!(list(vec![], SortBy::Text("city".into()), true).await, "410239");
    let compare = |field: &str, compare, value: Value| {
        vec![Filter::Field {
            field: field.into(),
            compare,
            value,
        }]
    };
    assert_eq!(
        list(compare("city", Compare::Is, json!("Минск")), SortBy::Id, false).await,
        "1"
    );
    assert_eq!(
        list(compare("city", Compare::Not, json!("Минск")), SortBy::Id, false).await,
        "02349"
    );
    assert_eq!(
        list(compare("city", Compare::Above, json!("Hanoi")), SortBy::Id, false).await,
        "014"
    );
    assert_eq!(
        list(compare("city", Compare::UpTo, json!("Hanoi")), SortBy::Id, false).await,
        "23"
    );
    assert_eq!(
        list(
            compare("marketingConsent", Compare::Is, json!("true")),
            SortBy::Id,
            false
        )
        .await,
        "024"
    );
    let (field, present) = ("city".to_owned(), false);
    assert_eq!(
        list(vec![Filter::Present { field, present }], SortBy::Id, false).await,
        "9"
    );
    let (field, values) = ("city".to_owned(), vec!["Riga".to_owned(), "广州".to_owned()]);
    assert_eq!(
        list(vec![Filter::OneOf { field, values }], SortBy::Id, false).await,
        "04"
    );
    assert_eq!(
        list(vec![Filter::Key(mail("p3@example.org"))], SortBy::Id, false).await,
        "3"
    );
    let moment = |from_ms, until_ms| Filter::Moment {
        created: true,
        from_ms,
        until_ms,
    };
    assert_eq!(list(vec![moment(NOW + 1, NOW + 9)], SortBy::Id, false).await, "");
    assert_eq!(list(vec![moment(NOW, NOW + 1)], SortBy::Id, false).await, "012349");
}

pub(in crate::store::contract) async fn numbers(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let object = Arc::new(standard("opportunities").unwrap().clone());
    for (name, value) in [
        ("a", json!(10)),
        ("b", json!(9.5)),
        ("c", json!(100)),
        ("d", json!(null)),
    ] {
        let values = json!({"name": name, "value": value});
        let data = check(&object, values.as_object().unwrap(), "test").unwrap().data;
        let (policy, only) = (Policy::Update, None);
        fixture
            .write(RecordWrite {
                object: Arc::clone(&object),
                how: How::Match { policy, only },
                data,
                lookups: Vec::new(),
                source: "test".into(),
            })
            .await;
    }
    let list = async |filters: Vec<Filter>, descending| -> String {
        let mut query = RecordQuery {
            object: "opportunities".into(),
            filters,
            sort: SortBy::Number("value".into()),
            descending,
            after: None,
            limit: 1,
        };
        let mut names = String::new();
        loop {
            let page = fixture.store.records(fixture.workspace, query.clone()).await.unwrap();
            let Some(last) = page.last() else { return names };
            query.after = Some(query.sort.place(last));
            names.push_str(last.data["name"].as_str().unwrap());
        }
    };
    assert_eq!(list(vec![], false).await, "bacd");
    assert_eq!(list(vec![], true).await, "cabd");
    let above = Filter::Field {
        field: "value".into(),
        compare: Compare::From,
        value: json!(10),
    };
    assert_eq!(list(vec![above], false).await, "ac");
}
