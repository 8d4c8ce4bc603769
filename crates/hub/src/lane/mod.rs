//! One lane per connection: what waits for it, in order, at the pace that the vendor allows.
//!
//! [`window`] (order), [`packing`] (when a call is full enough), [`limiter`] (pace), [`circuit`] (whether the vendor is well), [`backoff`]
//! (patience), [`turns`] (fairness) and [`forecast`] (when) decide and are pure; [`runner`] acts on them; [`gate`] is the limiter of a vendor
//! account that many flights share, [`gates`] finds it; [`inbox`] takes hints from the store; [`load`] tells how busy the lane is;
//! [`handover`] gives what waits for a primary that is down to its backup; [`leave`] is a flight's leave of the circuit, [`seats`] are its calls
//! among those of the lane; [`lanes`] starts and stops the lanes of this node.

pub mod backoff;
pub mod circuit;
pub mod forecast;
mod gate;
mod gates;
mod handover;
mod inbox;
mod lanes;
mod leave;
pub mod limiter;
mod load;
mod packing;
mod runner;
mod seats;
mod turns;
pub mod window;

pub use gate::{Away, Blocked, Gate, PATIENCE, Pass};
pub use gates::Gates;
pub use lanes::Lanes;
pub use leave::Leave;
pub use load::Measured;
pub use seats::Seats;
pub use turns::Turn;
