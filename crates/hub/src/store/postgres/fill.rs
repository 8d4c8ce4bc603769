//! Stored events for measurements.
