//! shaping
