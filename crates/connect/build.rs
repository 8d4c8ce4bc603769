//! Connectors and sources are compiled in: a manifest that is new or changed makes a new build.

fn main() {
    println!("cargo:rerun-if-changed=../../connectors");
    println!("cargo:rerun-if-changed=../../sources");
}
