//! A wallet's side.

use bytes::Bytes;
use primitives::Digest;
use primitives::keys::{PublicKey, Signer};
use primitives::limits::{WALLET_REPLY_BYTES_MAX, WALLET_REQUEST_BYTES_MAX};
use std::net::SocketAddr;
use tokio::time::timeout;

use crate::error::{CloseReason, Error};
use crate::frame::{FrameReader, pack};
use crate::tls::{Identity, SERVER_NAME};
use crate::transport::{HANDSHAKE_TIMEOUT, close, dialling, wallet_dialler};

/// A wallet's connection to its host. Clones share it; it ends when the last one is dropped.
#[derive(Debug, Clone)]
pub struct Client {
    connection: quinn::Connection,
    // Kept so that the socket lives as long as the connection.
    endpoint: quinn::Endpoint,
}

/// The replies to one request. Dropping it takes the request back.
#[derive(Debug)]
pub struct Replies {
    reader: FrameReader,
    ended: bool,
}

impl Client {
    /// Connects to the host whose transport key is `expected`, as the wallet of `secret`. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// [`Error::WrongKey`], [`Error::WrongSignature`] (also: another chain), [`Error::Refused`],
    /// [`Error::TimedOut`] after ten seconds, [`Error::Socket`]. That the host has no room for a
    /// session is found by the first request.
    pub async fn connect(
        address: SocketAddr,
        expected: PublicKey,
        chain: Digest,
        secret: impl Signer + Send + 'static,
    ) -> Result<Self, Error> {
        let identity = Identity::new(Box::new(secret), chain);
        let (config, fault) = wallet_dialler(&identity, expected)?;
        let endpoint = dialling(address)?;
        let connecting = endpoint.connect_with(config, address, SERVER_NAME)?;
        let connected = timeout(HANDSHAKE_TIMEOUT, connecting).await;
        let connection = connected
            .map_err(|_| Error::TimedOut)?
            .map_err(|error| fault.take().unwrap_or_else(|| error.into()))?;
        Ok(Self {
            connection,
            endpoint,
        })
    }

    /// Sends a request; the replies follow one by one. Waits while 16 requests are open.
    ///
    /// # Errors
    /// [`Error::Oversized`] for a request above the limit, or why the connection ended.
    pub async fn request(&self, bytes: impl Into<Bytes>) -> Result<Replies, Error> {
        let bytes = bytes.into();
        if bytes.len() > WALLET_REQUEST_BYTES_MAX {
            return Err(Error::Oversized {
                found: bytes.len(),
                limit: WALLET_REQUEST_BYTES_MAX,
            });
        }
        let (mut send, receive) = self.connection.open_bi().await?;
        let mut chunks = pack(&[bytes]);
        send.write_all_chunks(&mut chunks).await?;
        // A stream stopped by the host says so when its replies are read.
        let _ = send.finish();
        Ok(Replies {
            reader: FrameReader::new(receive, WALLET_REPLY_BYTES_MAX),
            ended: false,
        })
    }

    /// Why the connection ended, once it has.
    pub async fn closed(&self) -> Error {
        self.connection.closed().await.into()
    }

    /// Ends the connection and waits until the host has been told.
    pub async fn close(&self) {
        close(&self.connection, CloseReason::Stopping);
        self.endpoint.wait_idle().await;
    }
}

impl Replies {
    /// The next reply; none after the last one or after an error.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>, Error>> {
        if self.ended {
            return None;
        }
        let read = self.reader.read().await.transpose();
        self.ended = !matches!(read, Some(Ok(_)));
        read
    }
}
