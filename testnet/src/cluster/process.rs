//! One process of this machine, told apart from a later one that was given the same number.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// A process by its number and its start, so that a number given anew is not taken for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since the machine did.
    pub started: u64,
}

/// How to start a program.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The file that what it prints is added to.
    pub log: PathBuf,
    /// Its standard input, or nothing.
    pub stdin: Option<PathBuf>,
}

impl ProcessId {
    /// This process.
    ///
    /// # Errors
    /// [`Error::File`] without a readable `/proc`.
    pub fn own() -> Result<Self, Error> {
        let pid = std::process::id();
        let path = stat_path(pid);
        let text = fs::read_to_string(&path).map_err(|error| Error::file(&path, error))?;
        Ok(Self {
            pid,
            started: parse(&text).map_or(0, |stat| stat.started),
        })
    }

    /// Whether the process runs; one that has ended but was not waited for does not. A killed one runs
    /// until its last thread is gone, which may be in the middle of a write: so long its ports and
    /// locks are taken.
    #[must_use]
    pub fn runs(self) -> bool {
        fs::read_to_string(stat_path(self.pid))
            .ok()
            .and_then(|text| parse(&text))
            .is_some_and(|stat| stat.started == self.started && !stat.is_over())
    }

    /// Sends `signal`; a process that has ended is left alone.
    ///
    /// # Errors
    /// [`Error::Signal`] when the system refuses.
    pub fn signal(self, signal: Signal) -> Result<(), Error> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        match pid {
            Some(pid) if self.runs() => match kill_process(pid, signal) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
                Err(error) => Err(Error::Signal {
                    pid: self.pid,
                    error: error.into(),
                }),
            },
            _ => Ok(()),
        }
    }
}

/// Starts `launch` in a process group of its own, so that Ctrl-C in the terminal reaches only us.
///
/// # Errors
/// [`Error::Start`] naming the program; [`Error::File`] naming the log.
pub fn start(launch: &Launch) -> Result<(Child, ProcessId), Error> {
    let log = append(&launch.log)?;
    let errors = log
        .try_clone()
        .map_err(|error| Error::file(&launch.log, error))?;
    let stdin = match &launch.stdin {
        Some(path) => File::open(path)
            .map_err(|error| Error::file(path, error))?
            .into(),
        None => Stdio::null(),
    };
    let refused = |error| Error::Start {
        program: launch.program.clone(),
        error,
    };
    let child = Command::new(&launch.program)
        .args(&launch.arguments)
        .env("NO_COLOR", "1")
        .stdin(stdin)
        .stdout(log)
        .stderr(errors)
        .process_group(0)
        .spawn()
        .map_err(refused)?;
    let path = stat_path(child.id());
    // A child that was not waited for keeps its entry, even when it has ended already.
    let text = fs::read_to_string(&path).map_err(|error| Error::file(&path, error))?;
    let started = parse(&text).map_or(0, |stat| stat.started);
    let id = ProcessId {
        pid: child.id(),
        started,
    };
    Ok((child, id))
}

fn append(path: &Path) -> Result<File, Error> {
    File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|error| Error::file(path, error))
}

fn stat_path(pid: u32) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/stat"))
}

/// What `/proc/PID/stat` says of a process.
struct Stat {
    state: char,
    /// An ended one counts as its own last thread.
    threads: u64,
    started: u64,
}

impl Stat {
    const fn is_over(&self) -> bool {
        matches!(self.state, 'Z' | 'X') && self.threads <= 1
    }
}

/// Reads fields 3, 20 and 22 (proc(5)); the name in field 2 may hold blanks and brackets itself.
fn parse(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let threads = fields.nth(16)?.parse().ok()?;
    let started = fields.nth(1)?.parse().ok()?;
    Some(Stat {
        state,
        threads,
        started,
    })
}

#[cfg(test)]
mod tests;
