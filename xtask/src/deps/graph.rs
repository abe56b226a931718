//! The resolved dependency graph, reduced to names and kinds of edges.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context, Result};

use crate::cargo::Metadata;

/// How a crate depends on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Linked into what we ship.
    Normal,
    /// Of a build script.
    Build,
    /// Of tests, examples and benchmarks.
    Dev,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Normal => "normal",
            Self::Build => "build",
            Self::Dev => "dev",
        })
    }
}

/// Packages by identifier: two versions of one crate are two nodes of the same name.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: BTreeMap<String, Node>,
}

#[derive(Debug, Default)]
struct Node {
    name: String,
    member: bool,
    edges: BTreeSet<(String, Kind)>,
    /// Names of the dependencies that come only with a feature.
    optional: BTreeSet<String>,
}

impl Graph {
    pub(super) fn from_metadata(metadata: &Metadata) -> Result<Self> {
        let packages = metadata.by_id();
        let mut nodes = BTreeMap::new();
        for node in metadata.nodes() {
            let package = packages
                .get(node.id.as_str())
                .with_context(|| format!("cargo metadata resolves an unknown package: {}", node.id))?;
            let edges = node.deps.iter().flat_map(|dep| {
                dep.dep_kinds.iter().map(|how| {
                    let kind = match how.kind.as_deref() {
                        Some("dev") => Kind::Dev,
                        Some("build") => Kind::Build,
                        _ => Kind::Normal,
                    };
                    (dep.pkg.clone(), kind)
                })
            });
            let reduced = Node {
                name: package.name.clone(),
                member: metadata.workspace_members.contains(&node.id),
                edges: edges.collect(),
                optional: package
                    .dependencies
                    .iter()
                    .filter(|declared| declared.optional && declared.kind.as_deref() != Some("dev"))
                    .map(|declared| declared.name.clone())
                    .collect(),
            };
            nodes.insert(node.id.clone(), reduced);
        }
        Ok(Self { nodes })
    }

    /// Identifiers of our own crates.
    pub(super) fn members(&self) -> impl Iterator<Item = &str> {
        self.nodes
            .iter()
            .filter(|(_, node)| node.member)
            .map(|(id, _)| id.as_str())
    }

    pub(super) fn is_member(&self, id: &str) -> bool {
        self.nodes.get(id).is_some_and(|node| node.member)
    }

    pub(super) fn name<'g>(&'g self, id: &'g str) -> &'g str {
        self.nodes.get(id).map_or(id, |node| node.name.as_str())
    }

    pub(super) fn edges(&self, id: &str) -> impl Iterator<Item = (&str, Kind)> {
        self.nodes
            .get(id)
            .into_iter()
            .flat_map(|node| node.edges.iter().map(|(to, kind)| (to.as_str(), *kind)))
    }

    /// Whether a crate has a dependency of that name only with one of its features.
    pub(super) fn is_optional(&self, id: &str, name: &str) -> bool {
        self.nodes.get(id).is_some_and(|node| node.optional.contains(name))
    }

    /// A graph whose identifiers are the names.
    #[cfg(test)]
    pub(super) fn fabricated(members: &[&str], edges: &[(&str, &str, Kind)]) -> Self {
        let mut graph = Self::default();
        for name in members.iter().chain(edges.iter().flat_map(|(from, to, _)| [from, to])) {
            let node = graph.nodes.entry((*name).to_owned()).or_default();
            (*name).clone_into(&mut node.name);
            node.member = members.contains(name);
        }
        for (from, to, kind) in edges {
            if let Some(node) = graph.nodes.get_mut(*from) {
                node.edges.insert(((*to).to_owned(), *kind));
            }
        }
        graph
    }
    #[cfg(test)]
    pub(super) fn make_optional(mut self, of: &str, name: &str) -> Self {
        if let Some(node) = self.nodes.get_mut(of) {
            node.optional.insert(name.to_owned());
        }
        self
    }
}
