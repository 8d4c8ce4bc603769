//! Whole scripts.
