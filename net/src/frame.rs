//! Frames on a stream: a length of four bytes, little endian, then that many bytes.

use bytes::{BufMut, Bytes, BytesMut};

use crate::error::{CloseReason, Error};
use crate::queue::Queue;
use crate::stats::TrafficCounters;

/// Bytes of the length before each frame.
const LENGTH_BYTES: usize = 4;
/// Frames from this size on are handed over as they are; smaller ones are copied together.
const COPY_BYTES_MAX: usize = 16 * 1024;
/// Allocated at once for a frame whose bytes have not arrived yet.
const FIRST_BYTES_MAX: usize = 64 * 1024;
/// Pieces of a stream taken from the transport at once.
const PIECES: usize = 32;

/// The two streams of a peer in each direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Small and urgent; goes first.
    Consensus,
    /// Everything else.
    Bulk,
}

impl Lane {
    /// The byte that begins the lane's stream.
    pub(crate) const fn tag(self) -> u8 {
        match self {
            Self::Consensus => 1,
            Self::Bulk => 2,
        }
    }

    /// The higher goes first.
    pub(crate) const fn priority(self) -> i32 {
        match self {
            Self::Consensus => 1,
            Self::Bulk => 0,
        }
    }
}

/// Reads frames from a stream.
#[derive(Debug)]
pub(crate) struct FrameReader {
    stream: quinn::RecvStream,
    limit: usize,
    pieces: [Bytes; PIECES],
    /// The piece to read from.
    index: usize,
}

impl FrameReader {
    /// Reads frames of at most `limit` bytes.
    pub(crate) fn new(stream: quinn::RecvStream, limit: usize) -> Self {
        Self {
            stream,
            limit,
            pieces: Default::default(),
            index: 0,
        }
    }

    /// The first byte of a lane.
    ///
    /// # Errors
    /// [`Error::WrongLane`], or why the stream ended.
    pub(crate) async fn read_tag(&mut self, lane: Lane) -> Result<(), Error> {
        let mut tag = [0];
        let found = self.fill(&mut tag).await?;
        let [tag] = tag;
        if found < 1 {
            return Err(Error::Malformed { found, wanted: 1 });
        }
        if tag != lane.tag() {
            return Err(Error::WrongLane {
                found: tag,
                wanted: lane.tag(),
            });
        }
        Ok(())
    }

    /// The length of the next frame, or none at the end of the stream.
    ///
    /// # Errors
    /// [`Error::Oversized`], [`Error::Malformed`], or why the stream ended.
    pub(crate) async fn read_length(&mut self) -> Result<Option<usize>, Error> {
        let mut length = [0; LENGTH_BYTES];
        let found = self.fill(&mut length).await?;
        if found == 0 {
            return Ok(None);
        }
        if found < LENGTH_BYTES {
            return Err(Error::Malformed {
                found,
                wanted: LENGTH_BYTES,
            });
        }
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if length > self.limit {
            return Err(Error::Oversized {
                found: length,
                limit: self.limit,
            });
        }
        Ok(Some(length))
    }

    /// The frame after its length. Memory grows with what has arrived, not with what was announced.
    ///
    /// # Errors
    /// [`Error::Malformed`] if the stream ends before `length` bytes, or why it ended.
    pub(crate) async fn read_body(&mut self, length: usize) -> Result<Vec<u8>, Error> {
        let mut body = Vec::with_capacity(length.min(FIRST_BYTES_MAX));
        while body.len() < length {
            let Some(piece) = self.piece(length - body.len()).await? else {
                return Err(Error::Malformed {
                    found: body.len(),
                    wanted: length,
                });
            };
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// The next frame, or none at the end of the stream.
    ///
    /// # Errors
    /// As [`Self::read_length`] and [`Self::read_body`].
    pub(crate) async fn read(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match self.read_length().await? {
            Some(length) => self.read_body(length).await.map(Some),
            None => Ok(None),
        }
    }

    /// Tells the other side that nothing more is read.
    pub(crate) fn stop(&mut self, reason: CloseReason) {
        // A stream that has already ended needs no word.
        let _ = self.stream.stop(code(reason));
    }

    /// Fills `target` unless the stream ends; the number of bytes filled.
    async fn fill(&mut self, target: &mut [u8]) -> Result<usize, Error> {
        let mut found = 0;
        while let Some(rest) = target.get_mut(found..).filter(|rest| !rest.is_empty()) {
            let Some(piece) = self.piece(rest.len()).await? else {
                break;
            };
            found += piece.len();
            rest.iter_mut()
                .zip(&piece)
                .for_each(|(to, from)| *to = *from);
        }
        Ok(found)
    }

    /// The next 1 to `length_max` bytes, or none at the end of the stream.
    async fn piece(&mut self, length_max: usize) -> Result<Option<Bytes>, Error> {
        loop {
            while let Some(piece) = self.pieces.get_mut(self.index) {
                if !piece.is_empty() {
                    return Ok(Some(piece.split_to(length_max.min(piece.len()))));
                }
                self.index += 1;
            }
            if self.stream.read_chunks(&mut self.pieces).await?.is_none() {
                return Ok(None);
            }
            self.index = 0;
        }
    }
}

/// Writes what is queued until the queue ends, many frames to one write, then ends the stream.
///
/// # Errors
/// Why the stream ended before.
pub(crate) async fn write_frames(
    queue: &Queue,
    stream: &mut quinn::SendStream,
    counters: &TrafficCounters,
) -> Result<(), Error> {
    let mut frames = Vec::new();
    while queue.take(&mut frames).await {
        let bytes = frames.iter().map(Bytes::len).sum();
        let mut chunks = pack(&frames);
        stream.write_all_chunks(&mut chunks).await?;
        counters.sent(frames.len(), bytes);
        frames.clear();
    }
    // The stream may have been stopped by the other side, which then needs no end.
    let _ = stream.finish();
    Ok(())
}

/// The bytes of `frames` with their lengths: small frames copied together, large ones as they are.
pub(crate) fn pack(frames: &[Bytes]) -> Vec<Bytes> {
    let copied = frames
        .iter()
        .map(|frame| LENGTH_BYTES + if is_copied(frame) { frame.len() } else { 0 })
        .sum();
    let mut buffer = BytesMut::with_capacity(copied);
    let mut chunks = Vec::new();
    for frame in frames {
        // Longer frames are refused before they are queued.
        buffer.put_u32_le(u32::try_from(frame.len()).unwrap_or(u32::MAX));
        if is_copied(frame) {
            buffer.put_slice(frame);
        } else {
            chunks.push(buffer.split().freeze());
            chunks.push(frame.clone());
        }
    }
    if !buffer.is_empty() {
        chunks.push(buffer.freeze());
    }
    chunks
}

fn is_copied(frame: &Bytes) -> bool {
    frame.len() < COPY_BYTES_MAX
}

/// A close reason as QUIC carries it.
pub(crate) fn code(reason: CloseReason) -> quinn::VarInt {
    quinn::VarInt::from_u64(reason.code()).unwrap_or(quinn::VarInt::MAX)
}

#[cfg(test)]
mod tests;
