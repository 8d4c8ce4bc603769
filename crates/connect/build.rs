//! The connectors are compiled in: a manifest that is new or changed makes a new build.

fn main() {
    println!("cargo:rerun-if-changed=../../connectors");
}
