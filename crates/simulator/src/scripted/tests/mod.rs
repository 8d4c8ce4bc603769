//! Whole scripts, and laws.

mod example;
mod laws;
mod running;
