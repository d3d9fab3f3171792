//! A wallet's connection to one peer: what the load, the replay and the judge speak through.

use std::net::SocketAddr;

use ledger::tx::Transaction;
use net::{Client, Replies};
use primitives::Digest;
use primitives::codec::{self, Bytes, List};
use primitives::keys::PublicKey;
use primitives::limits::WALLET_REQUEST_BYTES_MAX;
use wallet_proto::reply::{Answer, Step};
use wallet_proto::request::{Report, TRANSACTIONS_MAX};
use wallet_proto::{Question, Reply, Request, wire};

use crate::error::Error;
use crate::keys::TestKey;

/// Bytes of a request that are not those of its transactions, generously.
const REQUEST_BYTES_FIXED: usize = 16;
/// Bytes that a request adds for each of its transactions.
const REQUEST_BYTES_EACH: usize = 4;

/// A peer as a wallet dials it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name, for messages.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// The transport key that must answer.
    pub key: PublicKey,
}

/// A wallet's connection to one peer. Clones share it.
#[derive(Debug, Clone)]
pub struct Session {
    host: Host,
    client: Client,
}

/// The steps of transactions that were submitted or tracked together.
#[derive(Debug)]
pub struct Following {
    host: String,
    replies: Replies,
}

impl Session {
    /// Connects as the wallet of `key`.
    ///
    /// # Errors
    /// [`Error::Net`] naming the peer.
    pub async fn connect(host: &Host, chain: Digest, key: TestKey) -> Result<Self, Error> {
        let client = Client::connect(host.address, host.key, chain, key).await;
        Ok(Self {
            client: client.map_err(|error| Error::net(&host.name, error))?,
            host: host.clone(),
        })
    }

    /// The peer's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.host.name
    }

    /// Hands in `transactions`, which fit into one request (see [`batches`]).
    ///
    /// # Errors
    /// [`Error::Net`]; [`Error::Wallet`] for more than one request holds.
    pub async fn submit(
        &self,
        transactions: &[Vec<u8>],
        report: Report,
    ) -> Result<Following, Error> {
        let transactions: Result<Vec<_>, _> =
            transactions.iter().cloned().map(Bytes::new).collect();
        let request = Request::Submit {
            transactions: List::new(transactions?)?,
            report,
        };
        self.follow(request).await
    }

    /// Asks how far transactions have come that were submitted to any peer; at most 1,024.
    ///
    /// # Errors
    /// As [`Session::submit`].
    pub async fn track(&self, ids: &[Digest], report: Report) -> Result<Following, Error> {
        let ids = List::new(ids.to_vec())?;
        self.follow(Request::Track { ids, report }).await
    }

    /// Asks for one answer with its proof, which is not checked here.
    ///
    /// # Errors
    /// [`Error::Net`]; [`Error::Refused`] with the peer's words; [`Error::Wallet`] for a reply that
    /// is none.
    pub async fn ask(&self, request: Request) -> Result<Answer, Error> {
        let mut replies = self.send(request).await?;
        let reply = replies.next().await.ok_or_else(|| self.silent())?;
        let bytes = reply.map_err(|error| Error::net(&self.host.name, error))?;
        match wire::from_bytes(&bytes)? {
            Reply::Answer(answer) => Ok(*answer),
            Reply::Progress(_) | Reply::Manifest(_) | Reply::Chunk(_) => {
                Err(wallet_proto::Error::OtherKind.into())
            }
            Reply::Error(refusal) => Err(Error::Refused {
                peer: self.host.name.clone(),
                refusal,
            }),
        }
    }

    async fn follow(&self, request: Request) -> Result<Following, Error> {
        Ok(Following {
            host: self.host.name.clone(),
            replies: self.send(request).await?,
        })
    }

    async fn send(&self, request: Request) -> Result<Replies, Error> {
        let question = wire::to_bytes(&Question::from(request))?;
        let replies = self.client.request(question).await;
        replies.map_err(|error| Error::net(&self.host.name, error))
    }

    fn silent(&self) -> Error {
        Error::Silent {
            peer: self.host.name.clone(),
        }
    }
}

impl Following {
    /// The next steps, none when every transaction has had its last.
    ///
    /// # Errors
    /// As [`Session::ask`].
    pub async fn next(&mut self) -> Result<Option<Vec<Step>>, Error> {
        let Some(reply) = self.replies.next().await else {
            return Ok(None);
        };
        let bytes = reply.map_err(|error| Error::net(&self.host, error))?;
        match wire::from_bytes(&bytes)? {
            Reply::Progress(steps) => Ok(Some(steps.into_vec())),
            Reply::Answer(_) | Reply::Manifest(_) | Reply::Chunk(_) => {
                Err(wallet_proto::Error::OtherKind.into())
            }
            Reply::Error(refusal) => Err(Error::Refused {
                peer: self.host.clone(),
                refusal,
            }),
        }
    }
}

/// The canonical bytes of a transaction.
///
/// # Errors
/// [`primitives::Error::TooLong`] above 256 KiB.
pub fn bytes(transaction: &Transaction) -> Result<Vec<u8>, Error> {
    Ok(codec::encode(transaction)?)
}

/// Cuts a list of transactions of these sizes into ranges of at most `count_max` that each fit into
/// one request; a larger one has a range of its own.
#[must_use]
pub fn batches(sizes: &[usize], count_max: usize) -> Vec<std::ops::Range<usize>> {
    let count_max = count_max.clamp(1, TRANSACTIONS_MAX);
    let room = WALLET_REQUEST_BYTES_MAX - REQUEST_BYTES_FIXED;
    let mut ranges = Vec::new();
    let (mut start, mut filled) = (0, 0);
    for (position, size) in sizes.iter().enumerate() {
        let size = size + REQUEST_BYTES_EACH;
        if position > start && (filled + size > room || position - start == count_max) {
            ranges.push(start..position);
            (start, filled) = (position, 0);
        }
        filled += size;
    }
    if start < sizes.len() {
        ranges.push(start..sizes.len());
    }
    ranges
}

#[cfg(test)]
mod tests;
