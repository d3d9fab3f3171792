//! Real peers as processes of this machine.
//!
//! ```text
//!   target/testnet/NAME/run.json    who they are: homes, ports, processes
//!                       lease       a pipe whose writing end the supervisor holds
//!                       peer-0/ ..  their homes        peer-0.log ..  what they print
//! ```
//!
//! Whoever creates the network supervises it and ends every peer when it goes: in the ordinary way
//! by killing them on drop, and when it cannot (SIGKILL) by the lease, which every peer reads as its
//! standard input and which ends with its only writer. Other invocations find the network by
//! `run.json` and may kill and restart peers, which stay under the same lease.

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;

use self::process::{Launch, ProcessId};
use self::run::{PeerRun, Run, VERSION};
use crate::error::Error;
use crate::wait::{Probe, until};

pub mod log;
pub mod process;
pub mod run;

/// Where peers listen: below what Linux gives to clients unless told otherwise (32768 to 60999),
/// for a client could take the port of a killed peer before that is back.
const PORTS: Range<u16> = 10_000..32_000;
/// How long a peer may take to end by itself.
const STOP_DEADLINE: Duration = Duration::from_secs(15);

/// Whether the peers end with this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// They end with it.
    Attached,
    /// They run on until `down`.
    Detached,
}

/// A test network on this machine.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
    run: Run,
    /// Held by the supervisor alone.
    lease: Option<File>,
    children: Vec<Child>,
}

/// Two free ports of the loopback interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// For peers and wallets, over UDP.
    pub address: SocketAddr,
    /// For HTTP, over TCP.
    pub http: SocketAddr,
}

/// Makes `folder` empty for a new network.
///
/// # Errors
/// [`Error::NetworkRuns`] while an earlier one runs there; [`Error::NotOurs`] when the folder holds
/// something but a network.
pub fn clear(folder: &Path) -> Result<(), Error> {
    let fail = |error| Error::file(folder, error);
    match Run::read(folder) {
        Ok(run) if run.running().next().is_some() => {
            return Err(Error::NetworkRuns {
                folder: folder.to_path_buf(),
            });
        }
        Ok(_) => fs::remove_dir_all(folder).map_err(fail)?,
        Err(_) if !folder.exists() => {}
        Err(_) if folder.read_dir().map_err(fail)?.next().is_none() => {}
        Err(_) => {
            return Err(Error::NotOurs {
                folder: folder.to_path_buf(),
            });
        }
    }
    fs::create_dir_all(folder).map_err(fail)
}

/// Ports that were free a moment ago, for `count` peers; none is given twice.
///
/// # Errors
/// [`Error::NoPort`] when fewer are free.
pub fn free_ports(count: usize) -> Result<Vec<Ports>, Error> {
    // Networks that are made at one moment begin at different places.
    let first = RandomState::new().build_hasher().finish() % PORTS.len() as u64;
    let ports = PORTS.cycle().skip(first as usize).take(PORTS.len());
    let held = ports.filter_map(|port| {
        let place = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let sockets = (UdpSocket::bind(place).ok()?, TcpListener::bind(place).ok()?);
        Some((place, sockets))
    });
    // All are held until each has its own.
    let held: Vec<_> = held.take(2 * count).collect();
    if held.len() < 2 * count {
        return Err(Error::NoPort { peers: count });
    }
    Ok(held
        .chunks_exact(2)
        .map(|pair| Ports {
            address: pair[0].0,
            http: pair[1].0,
        })
        .collect())
}

impl Cluster {
    /// Records a network whose homes are ready in `folder`; no peer runs yet.
    ///
    /// # Errors
    /// [`Error::File`] when the folder cannot be written.
    pub fn create(
        folder: &Path,
        program: &Path,
        peers: Vec<PeerRun>,
        stay: Stay,
    ) -> Result<Self, Error> {
        let (lease, supervisor) = match stay {
            Stay::Attached => (Some(make_lease(folder)?), Some(ProcessId::own()?)),
            Stay::Detached => (None, None),
        };
        let run = Run {
            version: VERSION,
            program: program.to_path_buf(),
            supervisor,
            peers,
        };
        run.write(folder)?;
        Ok(Self {
            folder: folder.to_path_buf(),
            run,
            lease,
            children: Vec::new(),
        })
    }

    /// The network that another invocation recorded in `folder`.
    ///
    /// # Errors
    /// As [`Run::read`].
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Ok(Self {
            folder: folder.to_path_buf(),
            run: Run::read(folder)?,
            lease: None,
            children: Vec::new(),
        })
    }

    /// The network's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The program of every peer.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.run.program
    }

    /// The peers as this invocation last saw them.
    #[must_use]
    pub fn peers(&self) -> &[PeerRun] {
        &self.run.peers
    }

    /// The peer at `index`.
    ///
    /// # Errors
    /// [`Error::NoPeer`] beyond the last.
    pub fn peer(&self, index: usize) -> Result<&PeerRun, Error> {
        self.run.peer(index)
    }

    /// Looks at what other invocations have changed, and at children that have ended.
    ///
    /// # Errors
    /// As [`Run::read`].
    pub fn refresh(&mut self) -> Result<(), Error> {
        self.reap();
        self.run = Run::read(&self.folder)?;
        Ok(())
    }

    /// Starts every peer that does not run.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start_all(&mut self) -> Result<(), Error> {
        for index in 0..self.run.peers.len() {
            if !self.run.peers[index].runs() {
                self.start(index)?;
            }
        }
        Ok(())
    }

    /// Starts the peer at `index`.
    ///
    /// # Errors
    /// [`Error::PeerRuns`] when it runs already; [`Error::Start`] when the program cannot.
    pub fn start(&mut self, index: usize) -> Result<(), Error> {
        let folder = self.folder.clone();
        let mut started = None;
        self.run = Run::change(&folder, |run| {
            let supervised = run.supervisor.is_some_and(ProcessId::runs);
            let lease = supervised.then(|| folder.join("lease"));
            let peer = run.peer(index)?;
            if peer.runs() {
                return Err(Error::PeerRuns { index });
            }
            let launch = launch(&run.program, peer, lease);
            let (child, id) = process::start(&launch)?;
            run.peers[index].process = Some(id);
            started = Some(child);
            Ok(())
        })?;
        self.children.extend(started);
        Ok(())
    }

    /// Kills the peer at `index` with SIGKILL and waits until it is gone.
    ///
    /// # Errors
    /// [`Error::PeerDown`] when it does not run; [`Error::Signal`].
    pub async fn kill(&mut self, index: usize) -> Result<(), Error> {
        self.refresh()?;
        let process = self.running(index)?;
        process.signal(Signal::KILL)?;
        self.gone(&[index], STOP_DEADLINE).await?;
        self.forget(&[index])
    }

    /// The exit code of the peer at `index`, which this invocation started, once it has ended; -1 for
    /// one that a signal ended.
    ///
    /// # Errors
    /// [`Error::NoPeer`].
    pub fn ended(&mut self, index: usize) -> Result<Option<i32>, Error> {
        let pid = self.peer(index)?.process.map(|process| process.pid);
        let mut children = self.children.iter_mut();
        let child = children.find(|child| Some(child.id()) == pid);
        let status = child.and_then(|child| child.try_wait().ok().flatten());
        Ok(status.map(|status| status.code().unwrap_or(-1)))
    }

    /// Sends a signal to the peer at `index`.
    ///
    /// # Errors
    /// [`Error::NoPeer`]; [`Error::PeerDown`]; [`Error::Signal`].
    pub fn signal(&self, index: usize, signal: Signal) -> Result<(), Error> {
        self.running(index)?.signal(signal)
    }

    /// Ends every peer: politely, and after 15 seconds by force.
    ///
    /// # Errors
    /// [`Error::Signal`], or [`Error::TimedOut`] when even force does not help.
    pub async fn down(&mut self) -> Result<(), Error> {
        self.refresh()?;
        let all: Vec<usize> = (0..self.run.peers.len()).collect();
        self.signal_all(Signal::TERM)?;
        // One that stands still hears nothing else.
        self.signal_all(Signal::CONT)?;
        if self.gone(&all, STOP_DEADLINE).await.is_err() {
            self.signal_all(Signal::KILL)?;
            self.gone(&all, STOP_DEADLINE).await?;
        }
        self.forget(&all)
    }

    fn signal_all(&self, signal: Signal) -> Result<(), Error> {
        let processes = self.run.peers.iter().filter_map(|peer| peer.process);
        processes
            .map(|process| process.signal(signal))
            .fold(Ok(()), Result::and)
    }

    fn running(&self, index: usize) -> Result<ProcessId, Error> {
        let process = self.peer(index)?.process;
        process
            .filter(|process| process.runs())
            .ok_or(Error::PeerDown { index })
    }

    async fn gone(&mut self, indexes: &[usize], deadline: Duration) -> Result<(), Error> {
        let probe = async || {
            self.reap();
            let running: Vec<usize> = self.run.running().map(|(index, _)| index).collect();
            let left: Vec<&usize> = running.iter().filter(|one| indexes.contains(one)).collect();
            if left.is_empty() {
                Ok(Probe::Done(()))
            } else {
                Ok(Probe::Found(format!("still running: {left:?}")))
            }
        };
        until("peers to end", deadline, probe).await
    }

    fn forget(&mut self, indexes: &[usize]) -> Result<(), Error> {
        self.run = Run::change(&self.folder, |run| {
            for index in indexes {
                run.peers[*index].process = None;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Takes note of children that have ended; a child that nobody waits for stays in the way.
    fn reap(&mut self) {
        self.children
            .retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_))));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.lease.is_none() {
            return;
        }
        // Nothing more can be done here than to try: the lease ends those that are left.
        let run = Run::read(&self.folder).unwrap_or_else(|_| self.run.clone());
        for process in run.peers.iter().filter_map(|peer| peer.process) {
            let _ = process.signal(Signal::KILL);
        }
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// How a peer is started.
pub(crate) fn launch(program: &Path, peer: &PeerRun, lease: Option<PathBuf>) -> Launch {
    let mut arguments = vec![
        "run".to_owned(),
        "--home".to_owned(),
        peer.home.display().to_string(),
    ];
    if lease.is_some() {
        arguments.push("--exit-on-stdin-close".to_owned());
    }
    Launch {
        program: program.to_path_buf(),
        arguments,
        log: peer.log.clone(),
        stdin: lease,
    }
}

/// Makes the pipe and holds it open for writing.
fn make_lease(folder: &Path) -> Result<File, Error> {
    let path = folder.join("lease");
    let mode = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, &path, FileType::Fifo, mode, 0)
        .map_err(|error| Error::file(&path, error.into()))?;
    // Opened for both, or opening would wait for a reader.
    File::options()
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|error| Error::file(&path, error))
}

#[cfg(test)]
mod tests;
