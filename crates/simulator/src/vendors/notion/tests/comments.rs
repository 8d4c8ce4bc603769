//! Comments.

use super::super::*;
use super::caller::*;

#[test]
fn comments_hang_on_their_page() {
    let mut caller = Caller::new();
    let page = caller.make(&json!({}));
    let body =
        |page: &str, text: &str| json!({"parent": {"page_id": page}, "rich_text": [{"text": {"content": text}}]});
    let made = caller.post("/v1/comments", &body(&page, "Перезвонить")).value();
    assert_eq!(
        (&made["object"], &made["rich_text"][0]["plain_text"]),
        (&json!("comment"), &json!("Перезвонить"))
    );
    let listed = caller.get(&format!("/v1/comments?block_id={page}")).value();
    assert_eq!(listed["results"], json!([made]));
    for (bad, status) in [
        (body("nope", "x"), 400),
        (body("00000000-0000-4000-8000-000000000009", "x"), 404),
        (body(&page, &"x".repeat(2_001)), 400),
        (json!({"parent": {"page_id": page}}), 400),
    ] {
        assert_eq!(caller.post("/v1/comments", &bad).status, status, "{bad}");
    }
    assert_eq!(caller.notion.records("comments").unwrap().len(), 1);
}
