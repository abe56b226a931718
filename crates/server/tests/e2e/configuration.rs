//! Settings: where they come from, and what comes first.

use crate::support::{command, run};
use std::fs;
use std::path::Path;

/// Flag, environment variable, key, and three values as `tertulia config` shows them.
const SETTINGS: [(&str, &str, &str, [&str; 3]); 11] = [
    (
        "--listen",
        "TERTULIA_LISTEN",
        "listen",
        ["127.0.0.1:1111", "127.0.0.1:2222", "[::1]:3333"],
    ),
    ("--data-dir", "TERTULIA_DATA_DIR", "data_dir", ["one", "two", "/three"]),
    (
        "--database-url",
        "TERTULIA_DATABASE_URL",
        "database_url",
        ["sqlite://one.db", "sqlite:///two.db", "postgres://three/db"],
    ),
    (
        "--database-connections",
        "TERTULIA_DATABASE_CONNECTIONS",
        "database_connections",
        ["11", "22", "33"],
    ),
    ("--workers", "TERTULIA_WORKERS", "workers", ["11", "22", "33"]),
    (
        "--hash-threads",
        "TERTULIA_HASH_THREADS",
        "hash_threads",
        ["11", "22", "33"],
    ),
    (
        "--access-token-ttl",
        "TERTULIA_ACCESS_TOKEN_TTL",
        "access_token_ttl",
        ["11s", "22s", "33s"],
    ),
    (
        "--session-ttl",
        "TERTULIA_SESSION_TTL",
        "session_ttl",
        ["11s", "22s", "33s"],
    ),
    (
        "--shutdown-timeout",
        "TERTULIA_SHUTDOWN_TIMEOUT",
        "shutdown_timeout",
        ["11s", "22s", "33s"],
    ),
    (
        "--log",
        "TERTULIA_LOG",
        "log",
        ["warn", "debug", "error,tertulia_server=trace"],
    ),
    (
        "--log-format",
        "TERTULIA_LOG_FORMAT",
        "log_format",
        ["json", "text", "json"],
    ),
];

/// What is in effect for one key.
fn in_effect(folder: &Path, environment: &[(&str, &str)], arguments: &[&str], key: &str) -> String {
    let mut command = command(&["config"]);
    command
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(folder);
    let (code, settings, log) = run(&mut command);
    assert_eq!(code, 0, "{log}");
    let line = settings
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{key} = ")));
    line.unwrap_or_default().trim_matches('"').to_owned()
}

#[test]
fn the_command_line_comes_before_the_environment_before_the_file() {
    for (flag, variable, key, [in_file, in_environment, given]) in SETTINGS {
        let folder = tempfile::tempdir().unwrap();
        let default = in_effect(folder.path(), &[], &[], key);
        assert_ne!(default, in_file, "{key}");
        fs::write(folder.path().join("tertulia.toml"), format!("{key} = \"{in_file}\"\n")).unwrap();
        assert_eq!(in_effect(folder.path(), &[], &[], key), in_file);
        let environment = [(variable, in_environment)];
        assert_eq!(in_effect(folder.path(), &environment, &[], key), in_environment);
        let argument = format!("{flag}={given}");
        assert_eq!(in_effect(folder.path(), &environment, &[&argument], key), given);
    }
}

#[test]
fn what_is_printed_is_a_configuration_file() {
    let folder = tempfile::tempdir().unwrap();
    let (_, printed, _) = run(command(&["config", "--database-connections=5"]).current_dir(folder.path()));
    fs::write(folder.path().join("tertulia.toml"), &printed).unwrap();
    let (code, again, log) = run(command(&["config"]).current_dir(folder.path()));
    assert_eq!((code, again), (0, printed), "{log}");
}

#[test]
fn defaults_are_the_documented_ones() {
    let folder = tempfile::tempdir().unwrap();
    for (key, value) in [
        ("listen", "127.0.0.1:8080"),
        ("data_dir", "data"),
        ("database_url", "sqlite://data/tertulia.db"),
        ("access_token_ttl", "900s"),
        ("session_ttl", "2592000s"),
        ("shutdown_timeout", "30s"),
        ("log_format", "text"),
    ] {
        assert_eq!(in_effect(folder.path(), &[], &[], key), value);
    }
    let elsewhere = in_effect(folder.path(), &[], &["--data-dir=/srv"], "database_url");
    assert_eq!(elsewhere, "sqlite:///srv/tertulia.db");
}

#[test]
fn another_file_is_read_where_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.toml");
    fs::write(&file, "workers = 7\n").unwrap();
    let file = file.to_str().unwrap();
    let away = tempfile::tempdir().unwrap();
    let flag = format!("--config={file}");
    assert_eq!(in_effect(away.path(), &[], &[&flag], "workers"), "7");
    assert_eq!(
        in_effect(away.path(), &[("TERTULIA_CONFIG", file)], &[], "workers"),
        "7"
    );
}

#[test]
fn a_mistake_is_named_by_where_it_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let fails = |environment: &[(&str, &str)], arguments: &[&str], parts: &[&str]| {
        let mut command = command(&["serve"]);
        command
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(folder.path());
        let (code, _, log) = run(&mut command);
        assert_eq!(code, 2, "{log}");
        assert!(parts.iter().all(|part| log.contains(part)), "{parts:?}: {log}");
        assert!(!log.contains("secret"), "{log}");
    };
    for (flag, variable, _, _) in SETTINGS {
        // These two take any text.
        if ["--data-dir", "--database-url"].contains(&flag) {
            continue;
        }
        let bad = format!("{flag}=tertulia=nonsense");
        fails(&[], &[&bad], &[flag]);
        fails(&[(variable, "tertulia=nonsense")], &[], &[flag]);
    }
    fails(&[], &["--unheard-of"], &["--unheard-of"]);
    fails(&[], &["--config=missing.toml"], &["missing.toml"]);
    for url in ["mysql://ana:secret@db/x", "secret"] {
        let bad = format!("--database-url={url}");
        fails(&[], &[&bad], &["--database-url", "sqlite://PATH", "postgres://"]);
    }
    for (text, parts) in [
        ("workers = 0\n", ["tertulia.toml", "line 1", "workers"]),
        ("\nlisten = \"everywhere\"\n", ["tertulia.toml", "line 2", "listen"]),
        ("lisen = \"127.0.0.1:80\"\n", ["tertulia.toml", "line 1", "lisen"]),
        (
            "database_url = \"mysql://ana:secret@db/x\"\n",
            ["mysql", "database_url", "sqlite://PATH"],
        ),
        (
            "database_url = \"postgres://ana:secret@db\n",
            ["tertulia.toml", "line 1", ""],
        ),
    ] {
        fs::write(folder.path().join("tertulia.toml"), text).unwrap();
        fails(&[], &[], &parts);
    }
}

#[test]
fn passwords_are_not_shown() {
    let url = "postgres://ana:secret@db/tertulia?password=secret";
    let (code, settings, _) = run(&mut command(&["config", "--database-url", url]));
    assert_eq!(code, 0);
    assert!(settings.contains("postgres://ana:***@db/tertulia"), "{settings}");
    assert!(!settings.contains("secret"), "{settings}");
    let (_, help, _) = run(command(&["--help"]).env("TERTULIA_DATABASE_URL", url));
    assert!(
        help.contains("TERTULIA_DATABASE_URL") && !help.contains("secret"),
        "{help}"
    );
}

#[test]
fn the_version_is_told() {
    let (code, version, _) = run(&mut command(&["--version"]));
    assert_eq!(
        (code, version),
        (0, format!("tertulia {}\n", env!("CARGO_PKG_VERSION")))
    );
}
