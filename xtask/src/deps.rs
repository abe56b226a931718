//! Proof that the crates depend on each other only as the architecture says.
//!
//! The allow-lists are in [`rules`]; this module compares them with the graph that cargo resolved.

mod graph;
mod rules;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Result, bail};

use crate::cargo::Metadata;
use graph::{Graph, Kind};
use rules::Rules;

const WHERE: &str = "xtask/src/deps/rules.rs";

/// Checks the workspace and prints every violation.
pub(crate) fn check() -> Result<()> {
    let graph = Graph::from_metadata(&Metadata::load()?)?;
    let violations = violations(&graph, &rules::WORKSPACE);
    for violation in &violations {
        eprintln!("error: {violation}");
    }
    if !violations.is_empty() {
        bail!("{} violation(s) of the rules in {WHERE}", violations.len());
    }
    println!("    {} crates keep to {WHERE}", graph.members().count());
    Ok(())
}

fn violations(graph: &Graph, rules: &Rules) -> Vec<String> {
    let mut found = internal(graph, rules);
    found.extend(external(graph, rules));
    found.extend(unreachable(graph, rules));
    found
}

/// Edges between our own crates.
fn internal(graph: &Graph, rules: &Rules) -> Vec<String> {
    let allowed: BTreeMap<&str, _> = rules.internal.iter().map(|rule| (rule.of, rule)).collect();
    let mut found = Vec::new();
    for id in graph.members() {
        let name = graph.name(id);
        let Some(rule) = allowed.get(name) else {
            found.push(format!(
                "{name}: a crate of the workspace without an entry in INTERNAL of {WHERE}"
            ));
            continue;
        };
        for (to, kind) in graph.edges(id).filter(|(to, _)| graph.is_member(to)) {
            let to = graph.name(to);
            let permitted = rule.normal.contains(&to) || (kind == Kind::Dev && rule.dev.contains(&to));
            if !permitted {
                found.push(format!(
                    "{name} -> {to} ({kind}): not among the edges between our crates; \
                     if the architecture wants it, add it to INTERNAL in {WHERE}"
                ));
            }
        }
    }
    for rule in rules.internal {
        let Some(id) = graph.members().find(|id| graph.name(id) == rule.of) else {
            found.push(format!(
                "{}: INTERNAL in {WHERE} names no crate of the workspace",
                rule.of
            ));
            continue;
        };
        let edges: BTreeSet<(&str, bool)> = graph
            .edges(id)
            .map(|(to, kind)| (graph.name(to), kind == Kind::Dev))
            .collect();
        let stale_normal = rule.normal.iter().filter(|to| !edges.contains(&(**to, false)));
        let stale_dev = rule.dev.iter().filter(|to| !edges.contains(&(**to, true)));
        found.extend(stale_normal.map(|to| stale("INTERNAL", rule.of, to, "dependency")));
        found.extend(stale_dev.map(|to| stale("INTERNAL", rule.of, to, "dev-dependency")));
    }
    found
}

/// What the inner crates take from outside, one by one.
fn external(graph: &Graph, rules: &Rules) -> Vec<String> {
    let mut found = Vec::new();
    for rule in rules.external {
        let Some(id) = graph.members().find(|id| graph.name(id) == rule.of) else {
            found.push(format!(
                "{}: EXTERNAL in {WHERE} names no crate of the workspace",
                rule.of
            ));
            continue;
        };
        let direct: BTreeSet<&str> = graph
            .edges(id)
            .filter(|(to, kind)| *kind != Kind::Dev && !graph.is_member(to))
            .map(|(to, _)| graph.name(to))
            .collect();
        for to in direct.iter().filter(|to| !rule.crates.contains(to)) {
            if !rule.optional.contains(to) {
                found.push(format!(
                    "{} -> {to}: the outside crates of an inner crate are listed one by one; \
                     if it does no I/O and no adapter can do its work, add it to EXTERNAL in {WHERE}",
                    rule.of
                ));
            } else if !graph.is_optional(id, to) {
                found.push(format!(
                    "{} -> {to}: EXTERNAL in {WHERE} allows it behind a feature only",
                    rule.of
                ));
            }
        }
        let unused = rule
            .crates
            .iter()
            .chain(rule.optional)
            .filter(|to| !direct.contains(*to));
        found.extend(unused.map(|to| stale("EXTERNAL", rule.of, to, "dependency")));
    }
    found
}

/// The inner crates do no I/O, nor does anything they are linked with.
fn unreachable(graph: &Graph, rules: &Rules) -> Vec<String> {
    let mut found = Vec::new();
    for of in rules.pure {
        let Some(start) = graph.members().find(|id| graph.name(id) == *of) else {
            found.push(format!("{of}: PURE in {WHERE} names no crate of the workspace"));
            continue;
        };
        for path in paths(graph, start, rules.io) {
            let names: Vec<&str> = path.iter().map(|id| graph.name(id)).collect();
            let last = names.last().copied().unwrap_or_default();
            found.push(format!(
                "{}: {of} does no I/O, so it must not reach {last} (PURE and IO in {WHERE})",
                names.join(" -> ")
            ));
        }
    }
    found
}

/// A shortest path of normal dependencies to each crate named in `targets`.
fn paths<'g>(graph: &'g Graph, start: &'g str, targets: &[&str]) -> Vec<Vec<&'g str>> {
    let mut from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    let mut found = Vec::new();
    while let Some(id) = queue.pop_front() {
        if id != start && targets.contains(&graph.name(id)) {
            let mut path = vec![id];
            let mut at = id;
            while let Some(previous) = from.get(at) {
                path.push(previous);
                at = previous;
            }
            path.reverse();
            found.push(path);
            continue;
        }
        for (to, kind) in graph.edges(id) {
            if kind == Kind::Normal && to != start && !from.contains_key(to) {
                from.insert(to, id);
                queue.push_back(to);
            }
        }
    }
    found
}

fn stale(list: &str, of: &str, to: &str, what: &str) -> String {
    format!(
        "{of} -> {to}: {list} in {WHERE} allows it, but there is no such {what}; remove the entry or mend its spelling"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::{External, Internal};

    const RULES: Rules = Rules {
        internal: &[
            Internal {
                of: "domain",
                normal: &[],
                dev: &[],
            },
            Internal {
                of: "application",
                normal: &["domain"],
                dev: &[],
            },
            Internal {
                of: "adapter",
                normal: &["domain"],
                dev: &["contracts"],
            },
            Internal {
                of: "contracts",
                normal: &["domain"],
                dev: &[],
            },
        ],
        external: &[External {
            of: "application",
            crates: &["thiserror"],
            optional: &["mocks"],
        }],
        pure: &["domain", "application"],
        io: &["diesel", "tokio"],
    };

    const SOUND: &[(&str, &str, Kind)] = &[
        ("application", "domain", Kind::Normal),
        ("application", "thiserror", Kind::Normal),
        ("application", "mocks", Kind::Normal),
        ("application", "tokio", Kind::Dev),
        ("adapter", "domain", Kind::Normal),
        ("adapter", "contracts", Kind::Dev),
        ("adapter", "diesel", Kind::Normal),
        ("contracts", "domain", Kind::Normal),
    ];

    const MEMBERS: &[&str] = &["domain", "application", "adapter", "contracts"];

    fn found(members: &[&str], edges: &[(&str, &str, Kind)]) -> Vec<String> {
        violations(
            &Graph::fabricated(members, edges).make_optional("application", "mocks"),
            &RULES,
        )
    }

    fn with(more: &[(&'static str, &'static str, Kind)]) -> Vec<String> {
        found(MEMBERS, &[SOUND, more].concat())
    }

    fn without(from: &str, to: &str) -> Vec<String> {
        let edges: Vec<_> = SOUND
            .iter()
            .copied()
            .filter(|edge| (edge.0, edge.1) != (from, to))
            .collect();
        found(MEMBERS, &edges)
    }

    #[test]
    fn a_sound_graph_passes() {
        assert_eq!(with(&[]), Vec::<String>::new());
    }

    #[test]
    fn diesel_in_application_breaks_both_rules() {
        let found = with(&[("application", "diesel", Kind::Normal)]);
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(
            found[0].starts_with("application -> diesel: the outside crates"),
            "{found:#?}"
        );
        assert!(found[0].contains("EXTERNAL in xtask/src/deps/rules.rs"), "{found:#?}");
        assert!(
            found[1].starts_with("application -> diesel: application does no I/O"),
            "{found:#?}"
        );
    }

    #[test]
    fn io_through_an_allowed_crate_is_reported_with_its_path() {
        let found = with(&[
            ("thiserror", "helper", Kind::Normal),
            ("helper", "tokio", Kind::Normal),
            ("tokio", "thiserror", Kind::Normal),
        ]);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(
            found[0].starts_with("application -> thiserror -> helper -> tokio: "),
            "{found:#?}"
        );
    }

    #[test]
    fn dependencies_that_are_not_linked_may_do_io() {
        let quiet = with(&[("thiserror", "tokio", Kind::Dev), ("thiserror", "diesel", Kind::Build)]);
        assert_eq!(quiet, Vec::<String>::new());
    }

    #[test]
    fn a_build_dependency_of_an_inner_crate_is_listed_like_any_other() {
        let found = with(&[("application", "cc", Kind::Build)]);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with("application -> cc: "), "{found:#?}");
    }

    #[test]
    fn what_is_allowed_behind_a_feature_must_be_behind_one() {
        let found = violations(&Graph::fabricated(MEMBERS, SOUND), &RULES);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with("application -> mocks: EXTERNAL"), "{found:#?}");
        assert!(found[0].ends_with("behind a feature only"), "{found:#?}");
    }

    #[test]
    fn an_edge_between_our_crates_needs_an_entry() {
        let found = with(&[("domain", "application", Kind::Normal)]);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with("domain -> application (normal): "), "{found:#?}");
        assert!(found[0].contains("INTERNAL in xtask/src/deps/rules.rs"), "{found:#?}");
    }

    #[test]
    fn a_dev_entry_does_not_allow_a_normal_edge() {
        let found = with(&[("adapter", "contracts", Kind::Normal)]);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with("adapter -> contracts (normal): "), "{found:#?}");
    }

    #[test]
    fn a_normal_entry_allows_a_dev_edge_too() {
        assert_eq!(with(&[("adapter", "domain", Kind::Dev)]), Vec::<String>::new());
    }

    #[test]
    fn entries_that_match_nothing_are_reported() {
        let found = without("application", "thiserror");
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with("application -> thiserror: EXTERNAL"), "{found:#?}");

        let found = without("adapter", "contracts");
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].contains("no such dev-dependency"), "{found:#?}");

        let found = without("application", "domain");
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with("application -> domain: INTERNAL"), "{found:#?}");
    }

    #[test]
    fn crates_and_rules_must_name_each_other() {
        let members = ["domain", "application", "adapter", "contracts", "newcomer"];
        let unknown = found(&members, SOUND);
        assert_eq!(unknown.len(), 1, "{unknown:#?}");
        assert!(unknown[0].starts_with("newcomer: "), "{unknown:#?}");

        let gone = found(&["application", "adapter", "contracts"], SOUND);
        assert!(
            gone.iter().any(|line| line.starts_with("domain: INTERNAL")),
            "{gone:#?}"
        );
        assert!(gone.iter().any(|line| line.starts_with("domain: PURE")), "{gone:#?}");
    }
}
