//! A body that a function writes piece by piece, on a thread of its own: the reader's pace is the
//! writer's, and no more than a few pieces are in memory.

use std::io::{self, BufWriter, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;
use tokio::sync::mpsc;

use crate::error::Error;

/// Bytes of one piece.
const PIECE_BYTES: usize = 64 * 1024;
/// Pieces written ahead of the reader.
const PIECES_AHEAD: usize = 4;

/// The reading end.
#[derive(Debug)]
pub(super) struct Written {
    pieces: mpsc::Receiver<Result<Bytes, io::Error>>,
}

/// The body that `write` writes. A failing writer breaks the connection off, so that nobody takes
/// the part for the whole.
pub(super) fn written_by(
    write: impl FnOnce(&mut dyn Write) -> Result<(), Error> + Send + 'static,
) -> Written {
    let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut out = BufWriter::with_capacity(PIECE_BYTES, Pieces(sender.clone()));
        let result = write(&mut out).and_then(|()| out.flush().map_err(Error::io("http")));
        if let Err(error) = result {
            tracing::warn!(%error, "a page broke off");
            // The reader may be what failed.
            let _ = sender.blocking_send(Err(io::Error::other(error)));
        }
    });
    Written { pieces }
}

struct Pieces(mpsc::Sender<Result<Bytes, io::Error>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Bytes::copy_from_slice(bytes);
        let sent = self.0.blocking_send(Ok(piece));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl http_body::Body for Written {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.pieces
            .poll_recv(context)
            .map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}
