//! The simulated vendors, one folder each, written from the fact sheets' server side.
//!
//! A folder has `mod.rs` (the vendor's state and its routes), `settings.rs` (what can be set from outside), `auth.rs` (who may
//! call), `trouble.rs` (the shapes of errors), and beside these a file per group of calls.

pub mod hubspot;
pub mod notion;
pub mod salesforce;
pub mod webhook;

use crate::options::Setup;
use crate::vendor::Vendor;

/// Makes a vendor in its first state.
pub type Make = fn(&Setup) -> Box<dyn Vendor>;

/// All vendors by slug; the slug is also the first part of their paths.
pub const ALL: &[(&str, Make)] = &[
    ("salesforce", |setup| Box::new(salesforce::Salesforce::new(setup))),
    ("hubspot", |setup| Box::new(hubspot::HubSpot::new(setup))),
    ("notion", |setup| Box::new(notion::Notion::new(setup))),
    ("webhook", |_| Box::new(webhook::Webhook::default())),
];
