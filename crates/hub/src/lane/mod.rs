//! One lane per connection: what waits for it, in order, at the pace that the vendor allows.
//!
//! [`window`] (order), [`limiter`] (pace), [`circuit`] (is it worth calling) and [`backoff`] (patience) decide and are pure;
//! [`runner`] acts on them; [`gate`] is the limiter of a vendor account that many attempts share, [`gates`] finds it; [`inbox`]
//! takes hints from the store; [`lanes`] starts and stops the lanes of this node.

pub mod backoff;
pub mod circuit;
mod gate;
mod gates;
mod inbox;
mod lanes;
pub mod limiter;
mod runner;
pub mod window;

pub use gate::{Blocked, Gate, Pass};
pub use gates::Gates;
pub use lanes::Lanes;
