//! Process tests: the real binary, started as a user starts it, with simulated vendors in this process.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod automations;
mod backups;
mod bad_input;
mod bench;
mod classifier;
mod conformance;
mod connectors;
mod crash;
mod crashtest;
mod demo;
mod examples;
mod first_steps;
mod hub;
mod lookups;
mod lost_answers;
mod mail;
mod mappings;
mod migrate;
mod oauth;
mod operation;
mod order;
mod outage;
mod places;
mod presets;
mod pressure;
mod readme;
mod receive;
mod records;
mod repeats;
mod retention;
mod schema;
mod secrets;
mod strategies;
mod templates;
mod together;
mod tokens;
mod vendors;
mod wait;
mod webhooks;
mod wishes;
