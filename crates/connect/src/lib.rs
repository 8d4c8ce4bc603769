//! What Switchboard knows of external systems. Pure: no network, no clock, no store.

pub mod document;
