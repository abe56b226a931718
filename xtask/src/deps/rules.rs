//! The allow-lists of dependencies. An entry that nothing matches is an error like a missing one.

/// What the checker compares a graph with.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) internal: &'static [Internal],
    pub(super) external: &'static [External],
    pub(super) pure: &'static [&'static str],
    pub(super) io: &'static [&'static str],
}

/// The crates of the workspace that one of them may depend on.
#[derive(Debug)]
pub(super) struct Internal {
    pub(super) of: &'static str,
    pub(super) normal: &'static [&'static str],
    /// Only for its tests, besides the above.
    pub(super) dev: &'static [&'static str],
}

/// The crates from outside that one of ours may name (dev-dependencies apart).
#[derive(Debug)]
pub(super) struct External {
    pub(super) of: &'static str,
    pub(super) crates: &'static [&'static str],
    /// Besides those, only as optional dependencies, that is behind a feature.
    pub(super) optional: &'static [&'static str],
}

/// Ours.
pub(super) const WORKSPACE: Rules = Rules {
    internal: INTERNAL,
    external: EXTERNAL,
    pure: PURE,
    io: IO,
};

/// Edges between our crates: inwards only, and no adapter knows another.
const INTERNAL: &[Internal] = &[
    Internal {
        of: "tertulia-domain",
        normal: &[],
        dev: &[],
    },
    Internal {
        of: "tertulia-application",
        normal: &["tertulia-domain"],
        dev: &[],
    },
    Internal {
        of: "tertulia-adapters-events",
        normal: &["tertulia-application", "tertulia-domain"],
        dev: &[],
    },
    Internal {
        of: "tertulia-adapters-files",
        normal: &["tertulia-application", "tertulia-domain"],
        dev: &[],
    },
    Internal {
        of: "tertulia-adapters-http",
        normal: &["tertulia-application", "tertulia-domain"],
        dev: &[],
    },
    Internal {
        of: "tertulia-adapters-mail",
        normal: &["tertulia-application", "tertulia-domain"],
        dev: &[],
    },
    Internal {
        of: "tertulia-adapters-system",
        normal: &["tertulia-application", "tertulia-domain"],
        dev: &[],
    },
    Internal {
        of: "tertulia-sql-support",
        normal: &["tertulia-domain"],
        dev: &[],
    },
    Internal {
        of: "tertulia-adapters-postgres",
        normal: &["tertulia-domain", "tertulia-sql-support"],
        // Itself: its own tests take its feature `test-support`.
        dev: &["tertulia-adapters-postgres", "tertulia-port-contracts"],
    },
    Internal {
        of: "tertulia-adapters-sqlite",
        normal: &["tertulia-domain", "tertulia-sql-support"],
        dev: &["tertulia-port-contracts"],
    },
    Internal {
        of: "tertulia-port-contracts",
        normal: &["tertulia-domain"],
        dev: &[],
    },
    // The one crate that knows all that is shipped.
    Internal {
        of: "tertulia-server",
        normal: &[
            "tertulia-adapters-events",
            "tertulia-adapters-files",
            "tertulia-adapters-http",
            "tertulia-adapters-mail",
            "tertulia-adapters-postgres",
            "tertulia-adapters-sqlite",
            "tertulia-adapters-system",
            "tertulia-application",
            "tertulia-domain",
        ],
        dev: &[],
    },
    Internal {
        of: "xtask",
        normal: &[],
        dev: &[],
    },
];

/// What the inner crates may use from outside: values, errors and traits, no technology.
const EXTERNAL: &[External] = &[
    External {
        of: "tertulia-domain",
        crates: &[
            "async-trait",
            "email_address",
            "thiserror",
            "unicase",
            "unicode-normalization",
            "uuid",
        ],
        optional: MOCKS,
    },
    External {
        of: "tertulia-application",
        crates: &[
            "async-trait",
            "base64",
            "bytes",
            "futures-core",
            "sha2",
            "thiserror",
            "tracing",
            "uuid",
        ],
        optional: MOCKS,
    },
];

/// Behind the feature `mocks`, which is for tests.
const MOCKS: &[&str] = &["mockall"];

/// Crates that do no I/O, neither themselves nor through what they are linked with.
const PURE: &[&str] = &["tertulia-domain", "tertulia-application"];

/// The ways to I/O: runtimes, sockets, drivers, frameworks.
const IO: &[&str] = &[
    "actix-web",
    "diesel",
    "hyper",
    "libsqlite3-sys",
    "mio",
    "pq-sys",
    "reqwest",
    "socket2",
    "tokio",
];
