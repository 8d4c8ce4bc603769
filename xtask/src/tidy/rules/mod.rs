//! The rules, one per file.

pub mod arrows;
pub mod connectors;
pub mod ignored;
pub mod inherit;
pub mod length;
pub mod links;
pub mod machine;
pub mod marks;
pub mod names;
pub mod purity;
pub mod registries;
pub mod size;
pub mod sleeps;
pub mod spans;
pub mod whitespace;
