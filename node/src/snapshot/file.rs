//! The file of a snapshot.
//!
//! ```text
//!   "primus snapshot\n"   16 bytes
//!   chunk ..              each a length u32 and its bytes
//!   manifest              as wallets' messages: the version byte 1, then canonical bytes
//!   handover ..           the same
//!   place of the manifest u64
//! ```

use std::fs::{self, File as Handle};
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use primitives::Digest;
use primitives::codec::{Canonical, List};
use primitives::units::Height;
use wallet_proto::reply::Handover;
use wallet_proto::snapshot::{CHUNK_BYTES_MAX, Cutter, Manifest, Row, chunk_digest};
use wallet_proto::wire;

use super::{check_chunk, refused};
use crate::error::Error;

const MAGIC: &[u8; 16] = b"primus snapshot\n";

/// Writes a snapshot beside its place.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    out: BufWriter<Handle>,
    written: u64,
    cutter: Cutter,
    rows: u64,
    bytes: u64,
    chunks: Vec<Digest>,
}

impl Writer {
    pub(super) fn begin(path: &Path) -> Result<Self, Error> {
        let handle = Handle::create(unfinished(path)).map_err(failed(path))?;
        let mut writer = Self {
            path: path.to_owned(),
            out: BufWriter::new(handle),
            written: 0,
            cutter: Cutter::default(),
            rows: 0,
            bytes: 0,
            chunks: Vec::new(),
        };
        writer.write(MAGIC)?;
        Ok(writer)
    }

    /// Rows pushed so far.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn push(&mut self, row: Row) -> Result<(), Error> {
        self.rows += 1;
        let full = self.cutter.push(row).map_err(|error| refused(&error))?;
        full.map_or(Ok(()), |chunk| self.chunk(&chunk))
    }

    fn chunk(&mut self, chunk: &[u8]) -> Result<(), Error> {
        self.bytes += chunk.len() as u64;
        self.chunks.push(chunk_digest(chunk));
        self.frame(chunk)
    }

    /// Ends the file, makes it durable and puts it in its place.
    pub(super) fn finish(
        mut self,
        chain: Digest,
        height: Height,
        root: Digest,
        handovers: &[Handover],
    ) -> Result<Manifest, Error> {
        let last = self.cutter.cut().map_err(|error| refused(&error))?;
        last.map_or(Ok(()), |chunk| self.chunk(&chunk))?;
        let manifest = Manifest {
            version: 1,
            chain,
            height,
            root,
            rows: self.rows,
            bytes: self.bytes,
            chunks: List::new(std::mem::take(&mut self.chunks)).map_err(|error| refused(&error))?,
        };
        let place = self.written;
        self.message(&manifest)?;
        for handover in handovers {
            self.message(handover)?;
        }
        self.write(&place.to_le_bytes())?;
        self.out.flush().map_err(failed(&self.path))?;
        self.out.get_ref().sync_all().map_err(failed(&self.path))?;
        fs::rename(unfinished(&self.path), &self.path).map_err(failed(&self.path))?;
        sync_parent(&self.path)?;
        Ok(manifest)
    }

    fn message(&mut self, message: &impl Canonical) -> Result<(), Error> {
        let bytes = wire::to_bytes(message).map_err(|error| refused(&error))?;
        self.frame(&bytes)
    }

    fn frame(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let length = u32::try_from(bytes.len()).map_err(|error| refused(&error))?;
        self.write(&length.to_le_bytes())?;
        self.write(bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes).map_err(failed(&self.path))
    }
}

/// An open snapshot, whose chunks are read as they are asked for.
#[derive(Debug)]
pub struct File {
    handle: Handle,
    path: PathBuf,
    manifest: Manifest,
    /// Where each chunk begins, and its length.
    chunks: Vec<(u64, usize)>,
    handovers: Vec<Handover>,
}

impl File {
    /// Opens the file at `path`; its chunks are not looked at yet. Cost: a short read for each chunk.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::BadSnapshot`] for a file that is none, or not whole.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let handle = Handle::open(path).map_err(failed(path))?;
        let end = handle.metadata().map_err(failed(path))?.len();
        let cut = || refused("it is cut short");
        let mut magic = [0; 16];
        let mut reader = Reader {
            handle: &handle,
            at: 0,
            end: end.checked_sub(8).ok_or_else(cut)?,
        };
        reader.read(&mut magic)?;
        if magic != *MAGIC {
            return Err(refused("the file is no snapshot"));
        }
        let mut place = [0; 8];
        handle
            .read_exact_at(&mut place, end - 8)
            .map_err(failed(path))?;
        let place = u64::from_le_bytes(place);
        let mut chunks = Vec::new();
        while reader.at < place {
            let length = reader.length(CHUNK_BYTES_MAX)?;
            chunks.push((reader.at, length));
            reader.at += length as u64;
        }
        let is_due = reader.at == place;
        let manifest: Manifest = reader.message()?;
        if chunks.len() != manifest.chunks.len() || !is_due {
            return Err(cut());
        }
        let mut handovers = Vec::new();
        while reader.at < reader.end {
            handovers.push(reader.message()?);
        }
        Ok(Self {
            path: path.to_owned(),
            manifest,
            chunks,
            handovers,
            handle,
        })
    }

    /// What it is of.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The way from the genesis to its sealing block.
    #[must_use]
    pub fn handovers(&self) -> &[Handover] {
        &self.handovers
    }

    /// The chunk at `index`, as its manifest names it; none above the last.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::OtherChunk`] for one that was damaged.
    pub fn chunk(&self, index: usize) -> Result<Option<Vec<u8>>, Error> {
        let Some((at, length)) = self.chunks.get(index) else {
            return Ok(None);
        };
        let mut chunk = vec![0; *length];
        let read = self.handle.read_exact_at(&mut chunk, *at);
        read.map_err(failed(&self.path))?;
        check_chunk(&self.manifest, index, &chunk)?;
        Ok(Some(chunk))
    }
}

/// A place in a file that is read frame by frame.
struct Reader<'a> {
    handle: &'a Handle,
    at: u64,
    /// Where the last frame ends.
    end: u64,
}

impl Reader<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        let after = self.at.saturating_add(bytes.len() as u64);
        if after > self.end {
            return Err(refused("it is cut short"));
        }
        let read = self.handle.read_exact_at(bytes, self.at);
        read.map_err(|error| refused(&error))?;
        self.at = after;
        Ok(())
    }

    /// The length of the next frame, which must be whole and of at most `max` bytes.
    fn length(&mut self, max: usize) -> Result<usize, Error> {
        let mut length = [0; 4];
        self.read(&mut length)?;
        let length = u32::from_le_bytes(length) as usize;
        if length > max || self.at.saturating_add(length as u64) > self.end {
            return Err(refused("it is cut short"));
        }
        Ok(length)
    }

    fn message<T: Canonical>(&mut self) -> Result<T, Error> {
        let mut bytes = vec![0; self.length(T::BYTES_MAX.saturating_add(1))?];
        self.read(&mut bytes)?;
        wire::from_bytes(&bytes).map_err(|error| refused(&error))
    }
}

/// Makes the name of a file that was renamed durable.
pub(super) fn sync_parent(path: &Path) -> Result<(), Error> {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    let parent = parent.unwrap_or(Path::new("."));
    let synced = Handle::open(parent).and_then(|folder| folder.sync_all());
    synced.map_err(failed(parent))
}

fn unfinished(path: &Path) -> PathBuf {
    path.with_added_extension("unfinished")
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    Error::io(path.display().to_string())
}
