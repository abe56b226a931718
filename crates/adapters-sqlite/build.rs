//! A new folder of migrations changes what is embedded, which cargo can't see by itself.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations/sqlite");
}
