//! From what came in to what mappings and conditions read: derived variables, and the identity of the record.
//!
//! The raw data is never changed; what is derived lies in a layer above it.

mod identity;
mod variables;

pub use identity::{company_key, person_key};
pub use variables::variables;
