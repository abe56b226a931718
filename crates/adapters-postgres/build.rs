//! Migrations are embedded, which cargo can't see by itself: a change to one must build this crate anew.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;

const MIGRATIONS: &str = "../../migrations/postgres";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed={MIGRATIONS}");
    let mut hasher = DefaultHasher::new();
    hash_sql(Path::new(MIGRATIONS), &mut hasher)?;
    // Names the template from which tests clone their databases.
    println!("cargo:rustc-env=MIGRATIONS_FINGERPRINT={:016x}", hasher.finish());
    Ok(())
}

/// Hashes the names and contents of all SQL files, in the order of their names.
fn hash_sql(folder: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            hash_sql(&path, hasher)?;
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            path.hash(hasher);
            fs::read(&path)?.hash(hasher);
        }
    }
    Ok(())
}
