//! The scripts of the connectors are compiled in: one that is new or changed makes a new build.

fn main() {
    println!("cargo:rerun-if-changed=../../connectors");
}
