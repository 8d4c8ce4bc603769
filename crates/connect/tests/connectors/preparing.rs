//! preparing
