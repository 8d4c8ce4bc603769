//! One lane per connection: what waits for it, in order, at the pace that the vendor allows.
//!
//! [`window`] (order), [`limiter`] (pace), [`backoff`] (patience) and [`forecast`] (when) decide and are pure; [`runner`] acts on them; [`gate`] is the limiter that
//! many attempts share; [`inbox`] takes hints from the store; [`lanes`] starts and stops the lanes of this node.

pub mod backoff;
pub mod forecast;
mod gate;
mod inbox;
mod lanes;
pub mod limiter;
mod runner;
pub mod window;

pub use gate::Gate;
pub use lanes::Lanes;
