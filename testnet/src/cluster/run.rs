//! `run.json`: what a test network consists of, so that another invocation finds it.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::process::ProcessId;
use crate::error::Error;

/// The file's name within the network's folder.
pub const FILE: &str = "run.json";

/// The version of the file.
pub const VERSION: u32 = 1;

/// A test network on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The version of this file, 1.
    pub version: u32,
    /// The program of every peer.
    pub program: PathBuf,
    /// The process that ends all peers when it ends; none when they were left running.
    pub supervisor: Option<ProcessId>,
    /// The peers; a peer's number is its place.
    pub peers: Vec<PeerRun>,
}

/// One peer of a test network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerRun {
    /// Its name in the genesis.
    pub name: String,
    /// The folder of its keys, store and configuration.
    pub home: PathBuf,
    /// Where it listens for peers and wallets, over UDP.
    pub address: SocketAddr,
    /// Where it answers over HTTP.
    pub http: SocketAddr,
    /// The file that it logs to.
    pub log: PathBuf,
    /// Its process, none when it was ended on purpose.
    pub process: Option<ProcessId>,
}

impl PeerRun {
    /// Whether its process runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.process.is_some_and(ProcessId::runs)
    }
}

impl Run {
    /// Reads the network of `folder`.
    ///
    /// # Errors
    /// [`Error::NoNetwork`] without the file; [`Error::RunFile`] when it says something else.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(FILE);
        let text = fs::read_to_string(&path).map_err(|_| Error::NoNetwork {
            folder: folder.to_path_buf(),
        })?;
        let unreadable = |reason: String| Error::RunFile {
            path: path.clone(),
            reason,
        };
        let run: Self =
            serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
        if run.version != VERSION {
            return Err(unreadable(format!(
                "version {} where {VERSION} was due",
                run.version
            )));
        }
        Ok(run)
    }

    /// Writes the network of `folder`, whole or not at all.
    ///
    /// # Errors
    /// [`Error::File`] naming the file.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(FILE);
        let part = folder.join("run.json.part");
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::RunFile {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        fs::write(&part, text).map_err(|error| Error::file(&part, error))?;
        fs::rename(&part, &path).map_err(|error| Error::file(&path, error))
    }

    /// Changes the network of `folder` while no other invocation does, and returns what it is then.
    ///
    /// # Errors
    /// As [`Run::read`] and [`Run::write`], and whatever `change` refuses.
    pub fn change(
        folder: &Path,
        change: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let path = folder.join("run.lock");
        let lock = File::create(&path).map_err(|error| Error::file(&path, error))?;
        // Dropping the file releases the lock.
        lock.lock().map_err(|error| Error::file(&path, error))?;
        let mut run = Self::read(folder)?;
        change(&mut run)?;
        run.write(folder)?;
        Ok(run)
    }

    /// The peer at `index`.
    ///
    /// # Errors
    /// [`Error::NoPeer`] beyond the last.
    pub fn peer(&self, index: usize) -> Result<&PeerRun, Error> {
        self.peers.get(index).ok_or(Error::NoPeer {
            index,
            count: self.peers.len(),
        })
    }

    /// The peers whose processes run, with their numbers.
    pub fn running(&self) -> impl Iterator<Item = (usize, &PeerRun)> {
        self.peers
            .iter()
            .enumerate()
            .filter(|(_, peer)| peer.runs())
    }
}

#[cfg(test)]
mod tests;
