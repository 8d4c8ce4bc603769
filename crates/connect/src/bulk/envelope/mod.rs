//! `multipart/mixed` (RFC 2046) with an `application/http` message in each part: the batches of OData 4.0 (part 1, section 11.7), without
//! change sets. Each request stands for itself, and the answers come in the order of the requests.

mod read;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::open;
pub(super) use write::{CLOSING, Part, seal};
