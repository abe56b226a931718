//! A private PostgreSQL made from the machine's own binaries.
//!
//! It listens on 127.0.0.1 only, trusts whoever connects, and gives up durability for speed: it is for
//! tests and lives in a temporary folder.

use std::env;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::sandbox::{RunAs, Sandbox};
use super::{Service, apt};

const VARIABLE: &str = "TEST_DATABASE_URL";
const USER: &str = "postgres";
/// Between asking for a free port and using it another process may take it.
const ATTEMPTS: u32 = 5;
const START_LIMIT: Duration = Duration::from_mins(1);
const SETTINGS: &[&str] = &[
    "listen_addresses=127.0.0.1",
    "max_connections=300",
    "shared_buffers=128MB",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
];

/// Starts it, installing PostgreSQL first if the machine has none.
pub(crate) fn start() -> Result<Service> {
    if let Some(given) = Service::given(&[VARIABLE]) {
        return Ok(given);
    }
    let programs = match find_programs() {
        Some(programs) => programs,
        None => install()?,
    };
    let run_as = RunAs::unprivileged(&["postgres", "nobody"])?;
    let mut sandbox = Sandbox::create("postgres", run_as)?;
    make_cluster(&sandbox, &programs)?;
    for _ in 0..ATTEMPTS {
        let port = free_port().context("cannot find a free port")?;
        if serve(&mut sandbox, &programs, port)? {
            let url = format!("postgres://{USER}@127.0.0.1:{port}/postgres");
            return Ok(Service::ours(vec![(VARIABLE, url)], sandbox));
        }
    }
    bail!("{ATTEMPTS} free ports in a row were taken by others")
}

fn install() -> Result<PathBuf> {
    apt::install("postgresql", "PostgreSQL (programs initdb and postgres)")?;
    find_programs().context("the package `postgresql` is installed, but its initdb is not to be found")
}

/// The folder of `initdb` and `postgres`: of PATH, of `pg_config`, or Debian's newest.
fn find_programs() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).find_map(|folder| complete(&folder));
    on_path
        .or_else(from_pg_config)
        .or_else(|| newest(Path::new("/usr/lib/postgresql")))
}

fn from_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    complete(Path::new(String::from_utf8(output.stdout).ok()?.trim()))
}

/// Of the folders `VERSION/bin` the one with the highest version.
fn newest(versions: &Path) -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(versions)
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, complete(&entry.path().join("bin"))?))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, folder)| folder)
}

/// The folder in which this one's `initdb` really is, if `postgres` is there too.
fn complete(folder: &Path) -> Option<PathBuf> {
    let initdb = folder.join("initdb").canonicalize().ok()?;
    let home = initdb.parent()?;
    home.join("postgres").is_file().then(|| home.to_owned())
}

fn data_folder(sandbox: &Sandbox) -> PathBuf {
    sandbox.folder().join("data")
}

/// The locale is C, so that no test passes by the grace of a machine's language settings.
fn make_cluster(sandbox: &Sandbox, programs: &Path) -> Result<()> {
    let initdb = programs.join("initdb");
    let status = without_defaults(&mut sandbox.command(&initdb)?)
        .arg("--pgdata")
        .arg(data_folder(sandbox))
        .args([
            "--username",
            USER,
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ])
        .status()
        .with_context(|| format!("cannot run {}", initdb.display()))?;
    if !status.success() {
        bail!("initdb ended with {status}; it said:\n{}", sandbox.log());
    }
    Ok(())
}

/// Starts the server and waits until it accepts connections; `false` if somebody else has the port.
fn serve(sandbox: &mut Sandbox, programs: &Path, port: u16) -> Result<bool> {
    let mut command = sandbox.command(programs.join("postgres"))?;
    without_defaults(&mut command)
        .arg("-D")
        .arg(data_folder(sandbox))
        .args(["-p", &port.to_string()]);
    command
        .arg("-c")
        .arg(format!("unix_socket_directories={}", sandbox.folder().display()));
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    // SIGQUIT is the immediate shutdown: nothing here is worth a checkpoint.
    sandbox.serve(&mut command, "QUIT")?;
    let limit = Instant::now() + START_LIMIT;
    loop {
        if sandbox.has_ended() {
            let log = sandbox.log();
            if log.contains("Address already in use") {
                return Ok(false);
            }
            bail!("PostgreSQL did not start; its log:\n{log}");
        }
        if is_ready(sandbox, port) {
            return Ok(true);
        }
        if Instant::now() > limit {
            bail!(
                "PostgreSQL was not ready after {} s; its log:\n{}",
                START_LIMIT.as_secs(),
                sandbox.log()
            );
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// By the state in the eighth line of `postmaster.pid`, which is what `pg_ctl` goes by, and a connection.
fn is_ready(sandbox: &Sandbox, port: u16) -> bool {
    let state = fs::read_to_string(data_folder(sandbox).join("postmaster.pid")).unwrap_or_default();
    state.lines().nth(7).is_some_and(|line| line.trim() == "ready")
        && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Takes away the user's own settings for PostgreSQL's programs.
fn without_defaults(command: &mut Command) -> &mut Command {
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
