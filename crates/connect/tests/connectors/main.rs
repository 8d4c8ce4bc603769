//! The connectors that are built in: what they send, and what they make of answers. Facts are those of the vendors' fact
//! sheets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod authorizing;
mod bulk_answers;
mod bulk_envelopes;
mod bulk_requests;
mod course;
mod deciding;
mod discovering;
mod examples;
mod hub;
mod loading;
mod pages;
mod paging;
mod preparing;
mod recorded;
mod recovering;
mod removing;
mod requests;
mod resolving;
mod sending;
mod shaping;
mod signing;
mod specs;
mod tokens;
mod translating;
mod trying;
