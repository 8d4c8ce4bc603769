//! Records: people, companies, opportunities … and rows of the user's own tables. All of them are data: an [`ObjectType`] names the fields, what
//! they hold, and by which of them two records are known to be one.

mod check;
mod define;
mod field;
mod key;
mod object;
mod objects;
mod present;
mod standard;
mod value;

pub use check::{Checked, Lookup, check};
pub use define::{LONGEST_NAME, define, is_name};
pub use field::{Choice, Field, FieldKind};
pub use key::{MatchBy, MatchKey, email, keys, phone, suspicions};
pub use object::{EXTERNAL_IDS, MESSENGER_IDS, ObjectType, Policy};
pub use objects::Objects;
pub use present::{present, title};
pub use standard::{STANDARD, standard};
pub use value::bring;

#[cfg(test)]
mod tests;
