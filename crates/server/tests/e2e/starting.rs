//! How a server starts, or says why it does not.

use crate::support::{Database, Process, Started, command, run};
use std::fs;
use std::net::TcpListener;
use std::path::Path;

/// Runs a server that can't start: exit code and the last line that it wrote.
fn refused(data: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = command(&["serve", "--log=off", "--data-dir", data.to_str().unwrap()]);
    let (code, _, log) = run(command.args(arguments));
    assert_eq!(log.lines().count(), 1, "one line says it all: {log}");
    (code, log)
}

#[test]
fn a_port_in_use_is_named() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, line) = refused(data.path(), &["--listen", &address]);
    assert_eq!(code, 1);
    for part in [address.as_str(), "in use", "--listen"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn a_data_folder_that_cannot_be_is_named() {
    let (code, line) = refused(Path::new("/dev/null/data"), &["--listen=127.0.0.1:0"]);
    assert_eq!(code, 1);
    for part in ["/dev/null/data", "--data-dir"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn a_database_that_is_none_is_named() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("notes.txt");
    fs::write(
        &file,
        "These are just notes, long enough to be no database. ".repeat(100),
    )
    .unwrap();
    let url = format!("sqlite://{}", file.display());
    let (code, line) = refused(data.path(), &["--listen=127.0.0.1:0", "--database-url", &url]);
    assert_eq!(code, 1);
    assert!(line.contains(&url), "{line}");
}

#[cfg(unix)]
#[test]
fn a_signing_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let data = tempfile::tempdir().unwrap();
    let key = data.path().join("signing-key.pem");
    fs::write(&key, "whatever").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let (code, line) = refused(data.path(), &["--listen=127.0.0.1:0"]);
    assert_eq!(code, 1);
    for part in [key.to_str().unwrap(), "0640", "chmod 600"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[cfg(not(feature = "postgres-tls"))]
#[test]
fn tls_that_is_not_built_in_is_told_of() {
    let data = tempfile::tempdir().unwrap();
    let url = "--database-url=postgres://ana:secret@127.0.0.1:1/x?sslmode=require";
    let (code, line) = refused(data.path(), &["--listen=127.0.0.1:0", url]);
    assert_eq!(code, 1);
    assert!(line.contains("postgres-tls") && !line.contains("secret"), "{line}");
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_made_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let database = Database::sqlite();
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("made");
    let _server = Process::start(&database, &data);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join("signing-key.pem")), 0o600);
}

#[tokio::test]
async fn without_a_command_it_serves() {
    let data = tempfile::tempdir().unwrap();
    let mut bare = command(&[]);
    bare.current_dir(data.path()).env("TERTULIA_LISTEN", "127.0.0.1:0");
    let server = Started::by(&mut bare).serving();
    server.register("ana").await;
    assert!(data.path().join("data/tertulia.db").is_file());
}

#[test]
fn json_lines_are_json() {
    let data = tempfile::tempdir().unwrap();
    let mut command = command(&["admin", "create-user", "--username=ana", "--password=correct horse"]);
    command
        .env("TERTULIA_LOG_FORMAT", "json")
        .env("TERTULIA_DATA_DIR", data.path());
    let (code, _, log) = run(&mut command);
    assert_eq!(code, 0, "{log}");
    assert!(log.lines().count() > 0);
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["level"].is_string() && line["message"].is_string(), "{line}");
    }
}
