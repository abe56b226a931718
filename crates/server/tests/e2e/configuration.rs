//! Settings: where they come from, and what comes first.

use crate::support::{command, run};
use std::fs;
use std::path::Path;

/// Flag, environment variable, key, and three values as `tertulia config` shows them.
const SETTINGS: [(&str, &str, &str, [&str; 3]); 29] = [
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
        "--public-url",
        "TERTULIA_PUBLIC_URL",
        "public_url",
        ["https://one.example", "http://two:8080", "https://three.example/chat"],
    ),
    (
        "--max-file-size",
        "TERTULIA_MAX_FILE_SIZE",
        "max_file_size",
        ["1KiB", "2MiB", "3GiB"],
    ),
    (
        "--file-store",
        "TERTULIA_FILE_STORE",
        "file_store",
        ["s3://one", "s3://two/files", "s3://three/a/b"],
    ),
    (
        "--s3-endpoint",
        "TERTULIA_S3_ENDPOINT",
        "s3_endpoint",
        ["http://one:9000", "https://two", "http://[::1]:3"],
    ),
    (
        "--s3-region",
        "TERTULIA_S3_REGION",
        "s3_region",
        ["eu-west-1", "eu-west-2", "eu-west-3"],
    ),
    (
        "--tidy-interval",
        "TERTULIA_TIDY_INTERVAL",
        "tidy_interval",
        ["11s", "22s", "33s"],
    ),
    (
        "--smtp-url",
        "TERTULIA_SMTP_URL",
        "smtp_url",
        ["smtp://one", "smtps://two:4650", "smtp+insecure://[::1]:25"],
    ),
    (
        "--smtp-ca",
        "TERTULIA_SMTP_CA",
        "smtp_ca",
        ["one.pem", "two.pem", "/three.pem"],
    ),
    (
        "--mail-from",
        "TERTULIA_MAIL_FROM",
        "mail_from",
        ["one@example.org", "Two <two@example.org>", "three@localhost"],
    ),
    (
        "--nats-url",
        "TERTULIA_NATS_URL",
        "nats_url",
        ["nats://one", "tls://two:4443", "nats://[::1]:4222/three"],
    ),
    (
        "--verify-email",
        "TERTULIA_VERIFY_EMAIL",
        "verify_email",
        ["true", "false", "true"],
    ),
    (
        "--rate-limits",
        "TERTULIA_RATE_LIMITS",
        "rate_limits",
        ["false", "true", "false"],
    ),
    (
        "--rate-limit-auth",
        "TERTULIA_RATE_LIMIT_AUTH",
        "rate_limit_auth",
        ["11/1s", "22/60s", "33/3600s"],
    ),
    (
        "--rate-limit-address",
        "TERTULIA_RATE_LIMIT_ADDRESS",
        "rate_limit_address",
        ["11/1s", "22/60s", "33/3600s"],
    ),
    (
        "--rate-limit-reads",
        "TERTULIA_RATE_LIMIT_READS",
        "rate_limit_reads",
        ["11/1s", "22/60s", "33/3600s"],
    ),
    (
        "--rate-limit-writes",
        "TERTULIA_RATE_LIMIT_WRITES",
        "rate_limit_writes",
        ["11/1s", "22/60s", "33/3600s"],
    ),
    (
        "--rate-limit-uploads",
        "TERTULIA_RATE_LIMIT_UPLOADS",
        "rate_limit_uploads",
        ["11/1s", "22/60s", "33/3600s"],
    ),
    (
        "--trusted-proxies",
        "TERTULIA_TRUSTED_PROXIES",
        "trusted_proxies",
        ["10.0.0.0/8", "127.0.0.1/32,::1/128", "fd00::/8"],
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
        ("public_url", ""),
        ("max_file_size", "25MiB"),
        ("file_store", "local"),
        ("tidy_interval", "600s"),
        ("smtp_url", ""),
        ("mail_from", "tertulia@localhost"),
        ("nats_url", ""),
        ("verify_email", "false"),
        ("rate_limits", "true"),
        ("rate_limit_auth", "600/60s"),
        ("rate_limit_writes", "100000/1s"),
        ("trusted_proxies", ""),
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
        // It may be the name of a key, but not its value.
        assert!(!log.replace("s3_secret_access_key", "").contains("secret"), "{log}");
    };
    for (flag, variable, _, _) in SETTINGS {
        // These take any text.
        if ["--data-dir", "--database-url", "--s3-region", "--smtp-ca"].contains(&flag) {
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
    for (arguments, parts) in [
        (&["--smtp-url=smtp://ana@secret"][..], ["--smtp-url", "USER:PASSWORD"]),
        (&["--smtp-url=http://ana:secret@mail"], ["--smtp-url", "STARTTLS"]),
        (&["--nats-url=http://secret@bus"], ["--nats-url", "tls://"]),
        (&["--nats-url=nats://secret@bus/chat.*"], ["--nats-url", "subject"]),
        (
            &["--s3-secret-access-key=secret"],
            ["--s3-access-key-id", "both halves"],
        ),
    ] {
        fails(&[], arguments, &parts);
    }
    for (text, parts) in [
        (
            "trusted_proxies = [\"10.0.0.0/8\", \"proxy\"]\n",
            ["line 1", "trusted_proxies", "commas"],
        ),
        ("verify_email = \"maybe\"\n", ["line 1", "verify_email", "true"]),
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
    let secrets = [
        ("TERTULIA_DATABASE_URL", url),
        ("TERTULIA_SMTP_URL", "smtp://ana:secret@mail"),
        ("TERTULIA_NATS_URL", "nats://secret@bus"),
        ("TERTULIA_S3_ACCESS_KEY_ID", "KEY"),
        ("TERTULIA_S3_SECRET_ACCESS_KEY", "secret"),
    ];
    let (_, settings, _) = run(command(&["config"]).envs(secrets));
    assert!(settings.contains("smtp_url = \"smtp://ana:***@mail\""), "{settings}");
    assert!(settings.contains("nats_url = \"nats://***@bus\""), "{settings}");
    assert!(settings.contains("KEY") && !settings.contains("secret\""), "{settings}");
    let (_, help, _) = run(command(&["--help"]).envs(secrets));
    for (name, _) in secrets {
        assert!(help.contains(name), "{help}");
    }
    assert!(!help.contains("secret@") && !help.contains("=secret"), "{help}");
}

#[test]
fn switches_and_lists_have_shorter_forms() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--verify-email", "--no-rate-limits"];
    for (key, value) in [("verify_email", "true"), ("rate_limits", "false")] {
        assert_eq!(in_effect(folder.path(), &[], &flags, key), value);
    }
    let on = [("TERTULIA_RATE_LIMITS", "true")];
    assert_eq!(
        in_effect(folder.path(), &on, &["--no-rate-limits"], "rate_limits"),
        "false"
    );
    let file = "verify_email = true\nrate_limits = false\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n";
    fs::write(folder.path().join("tertulia.toml"), file).unwrap();
    for (key, value) in [
        ("verify_email", "true"),
        ("rate_limits", "false"),
        ("trusted_proxies", "10.0.0.0/8,::1/128"),
    ] {
        assert_eq!(in_effect(folder.path(), &[], &[], key), value);
    }
}

#[test]
fn mails_come_from_the_public_address() {
    let folder = tempfile::tempdir().unwrap();
    let public = ["--public-url=https://chat.example.org/"];
    assert_eq!(
        in_effect(folder.path(), &[], &public, "mail_from"),
        "tertulia@chat.example.org"
    );
    assert_eq!(
        in_effect(folder.path(), &[], &public, "public_url"),
        "https://chat.example.org"
    );
}

#[test]
fn the_region_may_come_from_where_others_look() {
    let folder = tempfile::tempdir().unwrap();
    let region = [("AWS_REGION", "eu-south-2")];
    assert_eq!(in_effect(folder.path(), &region, &[], "s3_region"), "eu-south-2");
    let given = in_effect(folder.path(), &region, &["--s3-region=eu-west-1"], "s3_region");
    assert_eq!(given, "eu-west-1");
}

#[test]
fn the_version_is_told() {
    let (code, version, _) = run(&mut command(&["--version"]));
    assert_eq!(
        (code, version),
        (0, format!("tertulia {}\n", env!("CARGO_PKG_VERSION")))
    );
}
