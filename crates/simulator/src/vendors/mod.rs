//! The simulated vendors that are written in Rust because load is put on them or they speak no HTTP, one folder each, and the list of all vendors.
//! The others are scripts ([`crate::scripted`]). All are written from the fact sheets' server side.
//!
//! A folder has `mod.rs` (the vendor's state and its routes), `settings.rs` (what can be set from outside), `auth.rs` (who may
//! call), `trouble.rs` (the shapes of errors), and beside these a file per group of calls.

pub mod email;
pub mod hubspot;
pub mod notion;
pub mod openai;
pub mod salesforce;
pub mod webhook;

use std::sync::Arc;

use crate::options::{Options, Setup};
use crate::scripted::{Script, Scripted, library};
use crate::vendor::Vendor;

/// Makes a vendor that is written in Rust.
pub type NativeMake = fn(&Setup) -> Box<dyn Vendor>;

/// How a vendor is made in its first state.
#[derive(Debug, Clone)]
pub enum Make {
    /// By Rust code.
    Native(NativeMake),
    /// From a script.
    Scripted(Arc<Script>),
}

impl Make {
    /// A vendor in its first state.
    #[must_use]
    pub fn make(&self, setup: &Setup) -> Box<dyn Vendor> {
        match self {
            Self::Native(make) => make(setup),
            Self::Scripted(script) => Box::new(Scripted::new(Arc::clone(script), setup)),
        }
    }
}

/// The vendors of a simulation by slug, which is also the first part of their paths: those written in Rust, those whose
/// scripts are compiled in, and those of the options, which take the place of others of their slug.
#[must_use]
pub fn all(options: &Options) -> Vec<(Arc<str>, Make)> {
    let mut all: Vec<(Arc<str>, Make)> = NATIVE
        .iter()
        .map(|(slug, make)| ((*slug).into(), Make::Native(*make)))
        .collect();
    for script in library::embedded() {
        if !all.iter().any(|(slug, _)| **slug == *script.slug()) {
            all.push((script.slug().into(), Make::Scripted(Arc::clone(script))));
        }
    }
    for script in &options.scripts {
        all.retain(|(slug, _)| **slug != *script.slug());
        all.push((script.slug().into(), Make::Scripted(Arc::clone(script))));
    }
    all.retain(|(slug, _)| options.only.is_empty() || options.only.iter().any(|wanted| **wanted == **slug));
    all
}

const NATIVE: &[(&str, NativeMake)] = &[
    ("salesforce", |setup| Box::new(salesforce::Salesforce::new(setup))),
    ("hubspot", |setup| Box::new(hubspot::HubSpot::new(setup))),
    ("notion", |setup| Box::new(notion::Notion::new(setup))),
    ("email", |setup| Box::new(email::Email::new(setup))),
    ("openai", |setup| Box::new(openai::OpenAi::new(setup))),
    ("webhook", |_| Box::new(webhook::Webhook::default())),
];
