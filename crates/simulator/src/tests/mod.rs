//! The whole simulation: over real connections, and its laws without them.

mod connections;
mod control;
mod laws;
