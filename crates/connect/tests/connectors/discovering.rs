//! What accounts tell about their objects, and mappings that do not fit it.

use serde_json::{Value, json};
use switchboard_connect::{
    connector::{Account, Connector, Findings, FoundObject, Misfit, Survey},
    manifest::FieldType,
};
use switchboard_model::outcome::Outcome;

use super::{
    hub::{account, answer, connector, prepared, token},
    resolving,
};

fn play(account: &Account, mut survey: Survey<'_>, vendor: impl Fn(&str) -> (u16, Value)) -> Result<Findings, Outcome> {
    while let Some(request) = survey.next(account, Some(&token())).unwrap() {
        let path = request.url.split_once("://").unwrap().1.split_once('/').unwrap().1;
        let (status, body) = vendor(path);
        survey.read(account, &answer(status, body))?;
    }
    Ok(survey.finish())
}

fn found(slug: &str, object: &str, vendor: impl Fn(&str) -> (u16, Value)) -> (&'static Connector, FoundObject) {
    let connector = connector(slug);
    let account = account(slug, prepared(slug));
    match play(&account, connector.survey(object).unwrap(), vendor).unwrap() {
        Findings::Object(found) => (connector, found),
        Findings::Choices(choices) => panic!("{choices:?}"),
    }
}

fn hubspot_deal() -> (&'static Connector, FoundObject) {
    found("hubspot", "deal", |path| match path {
        "crm/properties/2026-09/deals" => (
            200,
            json!({"results": [
                {"name": "dealname", "label": "Deal name", "type": "string"},
                {"name": "dealstage", "label": "Deal stage", "type": "enumeration", "options": []},
                {"name": "region", "label": "Регион", "type": "enumeration", "options": [
                    {"label": "Север", "value": "north", "hidden": false}, {"label": "Old", "value": "old", "hidden": true}]},
                {"name": "days_open", "label": "Days", "type": "number", "calculated": true},
            ]}),
        ),
        "crm/pipelines/2026-09/deals" => (
            200,
            json!({"results": [{"id": "default", "label": "Sales", "stages": [{"id": "appointmentscheduled", "label": "Appointment"}]}]}),
        ),
        other => panic!("{other}"),
    })
}

#[test]
fn hubspot_tells_properties_and_the_stages_of_its_pipelines() {
    let (connector, found) = hubspot_deal();
    assert!(found.complete);
    let fields = connector.fields_of("deal", Some(&found));
    let field = |name: &str| fields.iter().find(|field| field.name == name).unwrap();
    assert_eq!(field("region").title.as_deref(), Some("Регион"));
    assert_eq!(field("region").field_type, FieldType::Choice);
    assert_eq!(field("region").options.len(), 1);
    assert_eq!(field("dealstage").options[0].value, "appointmentscheduled");
    assert_eq!(field("pipeline").options[0].title.as_deref(), Some("Sales"));
    assert!(!field("region").open && field("dealname").required);
    assert!(fields.iter().all(|field| field.name != "days_open"));
    assert_eq!(fields.iter().filter(|field| field.name == "dealname").count(), 1);
}

#[test]
fn a_mapping_that_does_not_fit_is_named_with_the_nearest_name() {
    let (connector, found) = hubspot_deal();
    let misfits = |mapping: Value| -> Vec<(String, bool, String)> {
        let all = connector.misfits("deal", &mapping, Some(&found)).into_iter();
        all.map(|misfit| {
            let problem = misfit.problem;
            (
                problem.place.unwrap_or_default(),
                misfit.is_fatal,
                format!("{}. {}", problem.detail, problem.next),
            )
        })
        .collect()
    };
    assert!(misfits(json!({"Deal_Name": "{{ subject }}", "region": "north", "stage": "{{ stage }}"})).is_empty());
    let wrong = misfits(json!({"dealname": "x", "regoin": "north", "region": "Север", "dealstage": "won"}));
    assert_eq!(wrong.len(), 3, "{wrong:#?}");
    assert_eq!((wrong[0].0.as_str(), wrong[0].1), ("/regoin", true));
    assert!(wrong[0].2.contains("`regoin`") && wrong[0].2.contains("Did you mean `region`?"));
    assert!(wrong[1].2.contains("Did you mean `north`?"), "{}", wrong[1].2);
    assert!(
        wrong[2].2.contains("`won`") && wrong[2].2.contains("appointmentscheduled"),
        "{}",
        wrong[2].2
    );
    let lacking = misfits(json!({"region": "north"}));
    assert!(lacking[0].1 && lacking[0].2.contains("`dealname`"), "{lacking:?}");
}

#[test]
fn without_the_account_only_the_manifest_is_known() {
    let connector = connector("hubspot");
    assert!(
        connector
            .misfits("deal", &json!({"dealname": "x", "own_field": "y"}), None)
            .is_empty()
    );
    assert_eq!(connector.misfits("deal", &json!({"own_field": "y"}), None).len(), 1);
    assert!(
        connector
            .fields_of("deal", None)
            .iter()
            .all(|field| !field.from_account)
    );
}

#[test]
fn salesforce_tells_what_a_new_record_needs_and_which_picklists_are_closed() {
    let describe = json!({"fields": [
        {"name": "LastName", "label": "Last Name", "type": "string", "length": 80, "createable": true, "nillable": false,
         "defaultedOnCreate": false, "picklistValues": []},
        {"name": "OwnerId", "label": "Owner", "type": "reference", "createable": true, "nillable": false, "defaultedOnCreate": true},
        {"name": "Region__c", "label": "Region", "type": "picklist", "length": 255, "createable": true, "nillable": false,
         "defaultedOnCreate": false, "restrictedPicklist": true,
         "picklistValues": [{"active": true, "label": "Nord", "value": "N"}, {"active": false, "label": "Alt", "value": "A"}]},
        {"name": "LeadSource", "label": "Lead Source", "type": "picklist", "length": 255, "createable": true, "nillable": true,
         "defaultedOnCreate": false, "restrictedPicklist": false, "picklistValues": [{"active": true, "label": "Web", "value": "Web"}]},
        {"name": "CreatedDate", "label": "Created", "type": "datetime", "createable": false, "nillable": false, "defaultedOnCreate": true},
    ]});
    let (connector, found) = found("salesforce", "lead", |_| (200, describe.clone()));
    let fields = connector.fields_of("lead", Some(&found));
    let region = fields.iter().find(|field| field.name == "Region__c").unwrap();
    assert!(region.required && !region.open && region.max == Some(255));
    assert_eq!(region.options.len(), 1);
    assert!(fields.iter().all(|field| field.name != "CreatedDate"));
    let mapping = json!({"LastName": "{{ senderName }}", "Company": "-", "LeadSource": "WhatsApp"});
    let misfits = connector.misfits("lead", &mapping, Some(&found));
    let seen: Vec<_> = misfits
        .iter()
        .map(|misfit| (misfit.problem.place.as_deref().unwrap(), misfit.is_fatal))
        .collect();
    // An open picklist takes anything: worth a look only.
    assert_eq!(seen, [("/LeadSource", false), ("/Region__c", true)]);
}

#[test]
fn notion_tells_its_columns_where_the_mapping_has_them() {
    let source = json!({"properties": {
        "客户姓名": {"id": "title", "name": "客户姓名", "type": "title", "title": {}},
        "状态": {"id": "a", "name": "状态", "type": "status", "status": {"options": [{"name": "新"}, {"name": "完成"}]}},
        "平台": {"id": "b", "name": "平台", "type": "select", "select": {"options": [{"name": "WhatsApp"}]}},
        "创建": {"id": "c", "name": "创建", "type": "created_time", "created_time": {}},
    }});
    let (connector, found) = found("notion", "page", |_| (200, source.clone()));
    let fields = connector.fields_of("page", Some(&found));
    let status = fields.iter().find(|field| field.name == "状态").unwrap();
    assert_eq!(status.within.as_deref(), Some("properties"));
    assert_eq!(status.options.len(), 2);
    let mapping = json!({"properties": {
        "客户姓名": {"title": [{"text": {"content": "{{ senderName }}"}}]},
        "状态": {"status": {"name": "未知"}},
        "平台": {"select": {"name": "Telegram"}},
        "创建": {"date": {"start": "{{ receivedAt }}"}},
    }});
    let misfits = connector.misfits("page", &mapping, Some(&found));
    let seen: Vec<_> = misfits
        .iter()
        .map(|misfit| (misfit.problem.place.as_deref().unwrap(), misfit.is_fatal))
        .collect();
    assert_eq!(
        seen,
        [
            ("/properties/状态", true),
            ("/properties/平台", false),
            ("/properties/创建", true)
        ]
    );
}

#[test]
fn choices_of_a_setting_are_read_to_the_last_page() {
    let desk = resolving::desk();
    let account = resolving::account(&desk, json!({}));
    let survey = desk.survey_setting("board").unwrap();
    let found = play(&account, survey, |path| match path {
        "boards" => (200, json!({"boards": [{"id": 1, "name": "Продажи"}], "next": "p2"})),
        "boards?after=p2" => (200, json!({"boards": [{"id": 2, "name": "2"}], "next": ""})),
        other => panic!("{other}"),
    });
    let Ok(Findings::Choices(choices)) = found else {
        panic!("{found:?}")
    };
    let seen: Vec<_> = choices
        .iter()
        .map(|choice| (choice.value.as_str(), choice.title.as_deref()))
        .collect();
    assert_eq!(seen, [("1", Some("Продажи")), ("2", None)]);
    let problem = desk.survey_setting("bord").unwrap_err();
    assert!(problem.next.contains("Did you mean `board`?"), "{}", problem.next);
}

#[test]
fn what_depends_on_a_setting_says_so() {
    let notion = connector("notion");
    let settings = serde_json::Map::new();
    let secrets = super::hub::map(json!({"token": "ntn_x"}));
    let account = notion.account("token", &settings, &secrets, &settings).unwrap();
    let mut survey = notion.survey_setting("dataSourceId").unwrap();
    let problem = survey.next(&account, None).unwrap_err();
    assert!(problem.detail.contains("`dataSourceId`"), "{}", problem.detail);
}

#[test]
fn a_refusal_ends_a_survey_with_the_vendors_words() {
    let connector = connector("hubspot");
    let account = account("hubspot", prepared("hubspot"));
    let refused = play(&account, connector.survey("contact").unwrap(), |_| {
        (403, json!({"message": "scope"}))
    });
    assert!(matches!(refused, Err(Outcome::Denied { .. })), "{refused:?}");
}

#[test]
fn a_value_that_a_field_can_never_take_is_found_without_the_account() {
    let connector = connector("salesforce");
    let told = |object: &str, mapping: Value| -> Vec<(String, bool)> {
        let misfits = connector.misfits(object, &mapping, None).into_iter();
        misfits
            .map(|misfit| (misfit.problem.place.unwrap_or_default(), misfit.is_fatal))
            .collect()
    };
    let lead = json!({"LastName": {"first": "{{ senderName }}"}, "Company": "{{ tenantName }}"});
    assert_eq!(told("lead", lead), [("/LastName".to_owned(), true)]);
    let variables = Misfit::of_variables("lead", &json!({"LastName": "{{ sendrName }}"}), &["senderName"]);
    assert_eq!(
        (variables[0].is_fatal, variables[0].problem.next.as_str()),
        (false, "Did you mean `senderName`?")
    );
}
