//! Taking out of `cargo metadata`'s answer what is never built.
//!
//! A feature such as `ring?/std` adds a feature to an optional dependency in case something else turns that on. Cargo
//! resolves a version for the dependency all the same, and so reports crates that nothing is linked with:
//! <https://github.com/rust-lang/cargo/issues/10801>.

use std::collections::BTreeSet;

use super::{Metadata, Node, Package};

/// Drops dependencies that no feature in use turns on, and the packages that nothing depends on then.
pub(super) fn drop_unused(metadata: &mut Metadata) {
    let unused: Vec<BTreeSet<String>> = {
        let packages = metadata.by_id();
        let of = |node: &Node| {
            let package = packages.get(node.id.as_str())?;
            let unused = node.deps.iter().filter(|dep| {
                let name = packages.get(dep.pkg.as_str()).map(|package| package.name.as_str());
                name.is_some_and(|name| !is_used(package, node, name))
            });
            Some(unused.map(|dep| dep.pkg.clone()).collect())
        };
        let nodes = metadata.resolve.nodes.iter();
        nodes.map(|node| of(node).unwrap_or_default()).collect()
    };
    for (node, unused) in metadata.resolve.nodes.iter_mut().zip(unused) {
        node.deps.retain(|dep| !unused.contains(&dep.pkg));
    }
    let reached = reached(metadata);
    metadata.resolve.nodes.retain(|node| reached.contains(&node.id));
    metadata.packages.retain(|package| reached.contains(&package.id));
}

/// Whether a package, built as the node says, depends on the package of that name.
fn is_used(package: &Package, node: &Node, name: &str) -> bool {
    let mut declared = package.dependencies.iter().filter(|declared| declared.name == name);
    declared.any(|declared| {
        let key = declared.rename.as_deref().unwrap_or(name);
        !declared.optional || is_on(package, node, key)
    })
}

/// Whether one of the features in use turns an optional dependency on.
fn is_on(package: &Package, node: &Node, key: &str) -> bool {
    let turned_on = node.features.iter().filter_map(|feature| package.features.get(feature));
    turned_on.flatten().any(|what| {
        what.strip_prefix("dep:") == Some(key) || what.split_once('/').is_some_and(|(dependency, _)| dependency == key)
    })
}

/// The packages that the workspace's members depend on, themselves included.
fn reached(metadata: &Metadata) -> BTreeSet<String> {
    let mut reached: BTreeSet<String> = metadata.workspace_members.iter().cloned().collect();
    let mut queue = metadata.workspace_members.clone();
    while let Some(id) = queue.pop() {
        let node = metadata.resolve.nodes.iter().find(|node| node.id == id);
        for dep in node.iter().flat_map(|node| &node.deps) {
            if reached.insert(dep.pkg.clone()) {
                queue.push(dep.pkg.clone());
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// `ours` depends on `tls`, whose optional dependencies `ring` (renamed `crypto`) and, through that, `spin` are used or
    /// not as its features say.
    fn left(features: &[&str]) -> Vec<String> {
        let mut metadata: Metadata = serde_json::from_value(json!({
            "packages": [
                {"id": "ours", "name": "ours", "version": "0.1.0", "license": null, "source": null, "dependencies": [
                    {"name": "tls", "rename": null, "kind": null, "optional": false},
                ]},
                {"id": "tls", "name": "tls", "version": "1.0.0", "license": null, "source": null, "dependencies": [
                    {"name": "ring", "rename": "crypto", "kind": null, "optional": true},
                ], "features": {
                    "std": ["crypto?/std"],
                    "strong": ["crypto/std"],
                    "crypto": ["dep:crypto"],
                }},
                {"id": "ring", "name": "ring", "version": "1.0.0", "license": null, "source": null, "dependencies": [
                    {"name": "spin", "rename": null, "kind": null, "optional": false},
                ]},
                {"id": "spin", "name": "spin", "version": "1.0.0", "license": null, "source": null},
            ],
            "workspace_members": ["ours"],
            "resolve": {"nodes": [
                {"id": "ours", "deps": [{"pkg": "tls", "dep_kinds": [{"kind": null}]}]},
                {"id": "tls", "features": features, "deps": [{"pkg": "ring", "dep_kinds": [{"kind": null}]}]},
                {"id": "ring", "deps": [{"pkg": "spin", "dep_kinds": [{"kind": null}]}]},
                {"id": "spin", "deps": []},
            ]},
        }))
        .unwrap();
        drop_unused(&mut metadata);
        let packages: Vec<String> = metadata.packages.into_iter().map(|package| package.name).collect();
        let nodes: Vec<String> = metadata.resolve.nodes.into_iter().map(|node| node.id).collect();
        assert_eq!(packages, nodes);
        packages
    }

    #[test]
    fn a_weak_feature_alone_brings_nothing_in() {
        assert_eq!(left(&["std"]), ["ours", "tls"]);
        assert_eq!(left(&[]), ["ours", "tls"]);
    }

    #[test]
    fn a_feature_that_turns_it_on_does() {
        assert_eq!(left(&["crypto"]), ["ours", "tls", "ring", "spin"]);
        assert_eq!(left(&["std", "strong"]), ["ours", "tls", "ring", "spin"]);
    }
}
