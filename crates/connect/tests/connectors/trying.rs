//! trying
