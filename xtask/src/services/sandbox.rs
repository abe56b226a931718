//! A temporary folder and the process that serves out of it, both gone at the end, however it comes.
//!
//! A shell, the guard, reads a pipe that only xtask holds open. When xtask drops the sandbox, is
//! interrupted or is killed with SIGKILL, the pipe closes; the guard then stops the process and
//! removes the folder. No signal handler is needed for it.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, bail};

/// Takes lines `SIGNAL PID`, and the folder as `$1`. Who does not heed the signal in ten seconds is
/// killed. A zombie is as good as gone: when xtask was killed, reaping is up to the machine's init. The
/// second `rm` is for a process that was still writing during the first.
const GUARD: &str = r#"
trap '' HUP INT TERM
folder=$1
set --
while read -r signal pid; do set -- "$@" "$signal" "$pid"; done
is_up() { kill -0 "$1" && ! grep -q '^State:.Z' "/proc/$1/status"; }
pids=
while [ $# -gt 0 ]; do kill -s "$1" "$2"; pids="$pids $2"; shift 2; done
for pid in $pids; do
    waits=0
    while is_up "$pid" && [ $waits -lt 200 ]; do sleep 0.05; waits=$((waits + 1)); done
    [ $waits -lt 200 ] || kill -s KILL "$pid"
done
rm -rf "$folder" || { sleep 1; rm -rf "$folder"; }
"#;

/// As whom a service runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum RunAs {
    /// Whoever runs xtask.
    Oneself,
    /// Another user; only root can ask for that.
    User { uid: u32, gid: u32 },
}

impl RunAs {
    /// Oneself, or for root the first of the named users that exists: some servers refuse root.
    pub(super) fn unprivileged(candidates: &[&str]) -> Result<Self> {
        let id = |arguments: &[&str]| -> Option<u32> {
            let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        if id(&["-u"]).context("cannot learn my user from `id -u`")? != 0 {
            return Ok(Self::Oneself);
        }
        candidates
            .iter()
            .find_map(|user| {
                Some(Self::User {
                    uid: id(&["-u", user])?,
                    gid: id(&["-g", user])?,
                })
            })
            .with_context(|| {
                format!(
                    "a server that refuses root needs one of the users {}, and none exists; \
                     run this as an ordinary user",
                    candidates.join(", ")
                )
            })
    }

    fn command(self, program: impl AsRef<OsStr>) -> Command {
        match self {
            Self::Oneself => Command::new(program),
            Self::User { uid, gid } => {
                // It execs, so the child's process number is the program's.
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}"));
                command.args(["--clear-groups", "--"]).arg(program);
                command
            }
        }
    }
}

/// The folder, its guard and the process.
#[derive(Debug)]
pub(super) struct Sandbox {
    folder: PathBuf,
    run_as: RunAs,
    guard: Child,
    pipe: Option<ChildStdin>,
    child: Option<Child>,
}

impl Sandbox {
    /// An empty folder that belongs to the user the service runs as.
    pub(super) fn create(name: &str, run_as: RunAs) -> Result<Self> {
        let folder = make_folder(name, run_as)?;
        let started = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Out of reach of Ctrl-C, which signals the whole foreground group.
            .process_group(0)
            .spawn();
        let mut guard = match started {
            Ok(guard) => guard,
            Err(error) => {
                discard(&folder);
                return Err(error).context("cannot run sh");
            }
        };
        let pipe = guard.stdin.take();
        Ok(Self {
            folder,
            run_as,
            guard,
            pipe,
            child: None,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command as the service's user, in the folder, with nothing to read and all it says going to
    /// the log.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Result<Command> {
        let path = self.log_path();
        let open = || File::options().create(true).append(true).open(&path);
        let (out, err) = open()
            .and_then(|log| Ok((log.try_clone()?, log)))
            .with_context(|| format!("cannot write {}", path.display()))?;
        let mut command = self.run_as.command(program);
        command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err);
        Ok(command)
    }

    /// What the commands have said so far.
    pub(super) fn log(&self) -> String {
        fs::read(self.log_path())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// Starts the process that serves, which ends in good order on `signal` (a name without SIG).
    pub(super) fn serve(&mut self, command: &mut Command, signal: &str) -> Result<()> {
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot run {}", command.get_program().display()))?;
        let line = format!("{signal} {}\n", child.id());
        self.child = Some(child);
        let told = match &mut self.pipe {
            Some(pipe) => pipe.write_all(line.as_bytes()).and_then(|()| pipe.flush()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        };
        told.context("the guard of the temporary folder is gone")
    }

    /// Whether the process is no longer there (or never was).
    pub(super) fn has_ended(&mut self) -> bool {
        self.child
            .as_mut()
            .is_none_or(|child| !matches!(child.try_wait(), Ok(None)))
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join("log")
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // Should the guard be gone, nobody has asked the process to stop.
        let guarded = matches!(self.guard.try_wait(), Ok(None));
        if let Some(child) = &mut self.child {
            if !guarded {
                discard_result(child.kill());
            }
            discard_result(child.wait());
        }
        discard_result(self.guard.wait());
        discard(&self.folder);
    }
}

/// A new folder under the first temporary folder that the service's user can reach: root's own
/// `TMPDIR` may be closed to others.
fn make_folder(name: &str, run_as: RunAs) -> Result<PathBuf> {
    for base in [env::temp_dir(), PathBuf::from("/tmp")] {
        let folder =
            fresh_folder(&base, name).with_context(|| format!("cannot make a folder in {}", base.display()))?;
        let RunAs::User { uid, gid } = run_as else {
            return Ok(folder);
        };
        let reachable = chown(&folder, Some(uid), Some(gid)).is_ok()
            && run_as
                .command("test")
                .arg("-w")
                .arg(&folder)
                .status()
                .context("root needs setpriv (Debian's util-linux) to start a server as another user")?
                .success();
        if reachable {
            return Ok(folder);
        }
        discard(&folder);
    }
    bail!("no temporary folder is writable for the user that runs the server ({run_as:?})")
}

fn fresh_folder(base: &Path, name: &str) -> io::Result<PathBuf> {
    let mut attempt = 0_u32;
    loop {
        let folder = base.join(format!("tertulia-{name}-{}-{attempt}", process::id()));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 100 => {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Cleaning up has nobody to report to.
fn discard(folder: &Path) {
    discard_result(fs::remove_dir_all(folder));
}

fn discard_result<T>(result: io::Result<T>) {
    drop(result);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn alive(pid: u32) -> bool {
        Command::new("kill")
            .args(["-0", &pid.to_string()])
            .stderr(Stdio::null())
            .status()
            .unwrap()
            .success()
    }

    fn serving() -> (Sandbox, u32) {
        let mut sandbox = Sandbox::create("xtask-unit", RunAs::Oneself).unwrap();
        let mut sleep = sandbox.command("sleep").unwrap();
        sandbox.serve(sleep.arg("600"), "TERM").unwrap();
        let pid = sandbox.child.as_ref().unwrap().id();
        (sandbox, pid)
    }

    #[test]
    fn dropping_it_stops_the_process_and_removes_the_folder() {
        let (mut sandbox, pid) = serving();
        let folder = sandbox.folder().to_owned();
        assert!(folder.is_dir() && alive(pid) && !sandbox.has_ended());
        drop(sandbox);
        assert!(!folder.exists());
        assert!(!alive(pid));
    }

    #[test]
    fn the_closed_pipe_alone_does_so_too() {
        let (mut sandbox, pid) = serving();
        let folder = sandbox.folder().to_owned();
        drop(sandbox.pipe.take());
        let limit = Instant::now() + Duration::from_secs(20);
        while (!sandbox.has_ended() || folder.exists()) && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(!folder.exists());
        assert!(!alive(pid));
    }

    #[test]
    fn a_process_that_ends_by_itself_is_noticed_and_its_words_are_kept() {
        let mut sandbox = Sandbox::create("xtask-unit", RunAs::Oneself).unwrap();
        let mut shell = sandbox.command("sh").unwrap();
        sandbox
            .serve(shell.args(["-c", "echo out; echo err >&2"]), "TERM")
            .unwrap();
        let limit = Instant::now() + Duration::from_secs(20);
        while !sandbox.has_ended() && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(sandbox.log(), "out\nerr\n");
    }
}
