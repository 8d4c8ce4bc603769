//! The Zapier app of `integrations/zapier`: its own tests, against a running hub.
//!
//! They need Node.js and `npm ci` in that folder. Without them the test says that it was skipped; in continuous integration (`CI` is set) it
//! fails.

use std::{path::Path, process::Command};

use super::consumer::skip;
use crate::hub::Folder;

#[tokio::test(flavor = "multi_thread")]
async fn the_zapier_app_passes_its_own_tests_against_a_running_hub() {
    let app = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../integrations/zapier"));
    if !app.join("node_modules/zapier-platform-core").is_dir() {
        skip("`npm ci` was not run in integrations/zapier", "the Zapier app");
        return;
    }
    let folder = Folder::new();
    let hub = folder.start();
    let mut command = Command::new("node");
    command
        .current_dir(app)
        // One file after the other: an event that one makes starts the Zaps of another.
        .args([
            "--test",
            "--test-concurrency=1",
            "--test-force-exit",
            "--test-timeout=90000",
        ])
        .arg("test/")
        .env("SWITCHBOARD_URL", &hub.address)
        .env("SWITCHBOARD_KEY", hub.key())
        // A proxy of the machine has no way to this hub.
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1");
    let ended = command.output().unwrap();
    let report = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success(),
        "{report}\n{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    assert!(!report.contains("# pass 0"), "{report}");
}
