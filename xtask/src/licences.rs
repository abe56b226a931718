//! Licences, banned crates and sources of all that we are built from.
//!
//! The lists are `deny.toml`'s, so that cargo-deny can read the same file. Ours is the stricter on two
//! points: it looks at dev-dependencies too, and an allowed licence that nothing has is an error.

mod spdx;

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::cargo::{Metadata, Package, root};

const FILE: &str = "deny.toml";
const OURS: &str = "MIT OR Apache-2.0";

/// The part of `deny.toml` that we check. A key of these tables that we don't know is an error: it would
/// loosen or tighten cargo-deny alone.
#[derive(Debug, Deserialize)]
struct Config {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Licenses {
    allow: Vec<String>,
    #[serde(rename = "confidence-threshold")]
    _confidence_threshold: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Bans {
    deny: Vec<Ban>,
    #[serde(rename = "multiple-versions")]
    _multiple_versions: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
    /// Crates that may depend on it all the same.
    #[serde(default)]
    wrappers: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Sources {
    allow_registry: Vec<String>,
    #[serde(rename = "unknown-registry")]
    _unknown_registry: Option<String>,
    #[serde(rename = "unknown-git")]
    _unknown_git: Option<String>,
}

/// Checks the workspace and prints every violation.
pub(crate) fn check() -> Result<()> {
    let path = root().join(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let config: Config = toml::from_str(&text).with_context(|| format!("cannot read {FILE}"))?;
    let metadata = Metadata::load()?;
    let mut violations = licences(&metadata, &config.licenses);
    violations.extend(bans(&metadata, &config.bans));
    violations.extend(sources(&metadata, &config.sources));
    for violation in &violations {
        eprintln!("error: {violation}");
    }
    if !violations.is_empty() {
        bail!("{} violation(s) of {FILE}", violations.len());
    }
    println!("    {} packages keep to {FILE}", metadata.packages.len());
    Ok(())
}

fn licences(metadata: &Metadata, config: &Licenses) -> Vec<String> {
    let allowed: BTreeSet<&str> = config.allow.iter().map(String::as_str).collect();
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for package in &metadata.packages {
        let shown = shown(package);
        let Some(licence) = &package.license else {
            found.push(format!("{shown}: its manifest names no licence"));
            continue;
        };
        match spdx::parse(licence) {
            Ok(expression) => {
                seen.extend(expression.names().map(str::to_owned));
                if !expression.holds(&allowed) {
                    found.push(format!(
                        "{shown}: `{licence}` needs a licence that {FILE} does not allow"
                    ));
                }
            }
            Err(error) => found.push(format!("{shown}: cannot read its licence `{licence}`: {error}")),
        }
        if metadata.workspace_members.contains(&package.id) && licence != OURS {
            found.push(format!("{shown}: our own crates are `{OURS}`, not `{licence}`"));
        }
    }
    let unused = allowed.iter().filter(|name| !seen.contains(**name));
    found.extend(unused.map(|name| format!("{FILE} allows `{name}`, but nothing is under it; remove it")));
    found
}

fn bans(metadata: &Metadata, config: &Bans) -> Vec<String> {
    let packages = metadata.by_id();
    let mut found = Vec::new();
    for ban in &config.deny {
        for node in metadata.nodes() {
            let name_of = |id: &str| packages.get(id).map_or("", |package| package.name.as_str());
            let from = name_of(&node.id);
            if node.deps.iter().any(|dep| name_of(&dep.pkg) == ban.name)
                && !ban.wrappers.iter().any(|wrapper| wrapper == from)
            {
                found.push(format!("{from} -> {}: banned in {FILE}: {}", ban.name, ban.reason));
            }
        }
    }
    found
}

fn sources(metadata: &Metadata, config: &Sources) -> Vec<String> {
    let allowed: BTreeSet<String> = config
        .allow_registry
        .iter()
        .map(|url| format!("registry+{url}"))
        .collect();
    let mut found = Vec::new();
    for package in &metadata.packages {
        match &package.source {
            Some(source) if !allowed.contains(source) => {
                found.push(format!(
                    "{}: comes from {source}, which {FILE} does not allow",
                    shown(package)
                ));
            }
            None if !metadata.workspace_members.contains(&package.id) => {
                found.push(format!("{}: comes from a folder outside the workspace", shown(package)));
            }
            _ => {}
        }
    }
    found
}

fn shown(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn metadata(licence: &str, dependency: &str, source: &str) -> Metadata {
        serde_json::from_value(json!({
            "packages": [
                {"id": "ours", "name": "ours", "version": "0.1.0", "license": OURS, "source": null},
                {"id": "dep", "name": dependency, "version": "1.2.3", "license": licence, "source": source},
            ],
            "workspace_members": ["ours"],
            "resolve": {"nodes": [
                {"id": "ours", "deps": [{"pkg": "dep", "dep_kinds": [{"kind": null}]}]},
                {"id": "dep", "deps": []},
            ]},
        }))
        .unwrap()
    }

    fn allow(names: &[&str]) -> Licenses {
        Licenses {
            allow: names.iter().map(|name| (*name).to_owned()).collect(),
            _confidence_threshold: None,
        }
    }

    #[test]
    fn a_licence_outside_the_list_is_reported() {
        let found = licences(&metadata("GPL-3.0-only", "x", ""), &allow(&["MIT"]));
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with("x 1.2.3: `GPL-3.0-only`"), "{found:#?}");
    }

    #[test]
    fn an_allowed_licence_that_nothing_has_is_reported() {
        let found = licences(&metadata("MIT", "x", ""), &allow(&["MIT", "Zlib"]));
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains("`Zlib`"), "{found:#?}");
    }

    #[test]
    fn a_ban_holds_unless_the_parent_is_a_wrapper() {
        let metadata = metadata("MIT", "ring", "");
        let mut config = Bans {
            deny: vec![Ban {
                name: "ring".to_owned(),
                reason: "why".to_owned(),
                wrappers: Vec::new(),
            }],
            _multiple_versions: None,
        };
        assert_eq!(bans(&metadata, &config), ["ours -> ring: banned in deny.toml: why"]);
        config.deny[0].wrappers.push("ours".to_owned());
        assert_eq!(bans(&metadata, &config), Vec::<String>::new());
    }

    #[test]
    fn only_listed_registries_are_sources() {
        let config = Sources {
            allow_registry: vec!["https://good".to_owned()],
            _unknown_registry: None,
            _unknown_git: None,
        };
        let good = sources(&metadata("MIT", "x", "registry+https://good"), &config);
        assert_eq!(good, Vec::<String>::new());
        for bad in ["registry+https://bad", "git+https://good"] {
            assert_eq!(sources(&metadata("MIT", "x", bad), &config).len(), 1, "{bad}");
        }
    }
}
