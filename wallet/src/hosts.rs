//! The peers that a wallet asks, one at a time; the next one when a host does not do.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use net::Client;
use primitives::Digest;
use primitives::keys::PublicKey;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio::time::timeout;
use wallet_proto::certificate::Certificate;
use wallet_proto::reply::{Answer, Reply, Snapshot, Step};
use wallet_proto::{Question, Request, wire};

use crate::error::Error;
use crate::home::Seed;
use crate::keys::secret_key;

/// Requests that are open at one time, half of what a host takes.
const OPEN_MAX: usize = 8;

/// Where a host listens, and the key it must prove: `ADDRESS#KEY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostAddress {
    /// Where it listens, over UDP.
    pub address: SocketAddr,
    /// Its transport key.
    pub key: PublicKey,
}

/// Text that is no `ADDRESS#KEY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a host is written ADDRESS:PORT#KEY, with 64 hexadecimal digits of its transport key")]
pub struct HostSyntax;

impl FromStr for HostAddress {
    type Err = HostSyntax;

    fn from_str(text: &str) -> Result<Self, HostSyntax> {
        let (address, key) = text.split_once('#').ok_or(HostSyntax)?;
        Ok(Self {
            address: address.parse().map_err(|_| HostSyntax)?,
            key: key.parse().map_err(|_| HostSyntax)?,
        })
    }
}

impl fmt::Display for HostAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.address, self.key)
    }
}

impl TryFrom<String> for HostAddress {
    type Error = HostSyntax;

    fn try_from(text: String) -> Result<Self, HostSyntax> {
        text.parse()
    }
}

impl From<HostAddress> for String {
    fn from(host: HostAddress) -> Self {
        host.to_string()
    }
}

/// The hosts of one wallet, and the connection to the one in use.
#[derive(Debug)]
pub struct Hosts {
    addresses: Vec<HostAddress>,
    chain: Digest,
    seed: Seed,
    patience: Duration,
    current: usize,
    client: Option<Client>,
    /// A certified block, whose certificate no host need send again.
    held: Option<Snapshot>,
}

impl Hosts {
    /// Asks these hosts in turn, as the wallet of `seed`; `patience` is how long one may think.
    #[must_use]
    pub const fn new(
        addresses: Vec<HostAddress>,
        chain: Digest,
        seed: Seed,
        patience: Duration,
    ) -> Self {
        Self {
            addresses,
            chain,
            seed,
            patience,
            current: 0,
            client: None,
            held: None,
        }
    }

    /// From here on hosts may leave out the certificate of this block, which has been checked; it is
    /// put into their answers here, so that nobody else knows of it.
    pub fn hold(&mut self, certified: &Snapshot) {
        self.held = Some(certified.clone());
    }

    /// From here on every certificate must come with its answer.
    pub fn release(&mut self) {
        self.held = None;
    }

    fn question(&self, request: &Request) -> Question {
        Question {
            held: self.held.as_ref().map(|held| held.header.height),
            request: request.clone(),
        }
    }

    /// Whoever left out the certificate of another block is refused by the check of the answer.
    fn complete(&self, answer: &mut Answer) {
        let snapshot = &mut answer.snapshot;
        let is_bare = snapshot.certificate == Certificate::empty(snapshot.header.epoch);
        let held = self.held.as_ref();
        if let Some(held) = held.filter(|held| is_bare && held.header == snapshot.header) {
            snapshot.certificate = held.certificate.clone();
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.addresses.len()
    }

    /// Goes on to the next host.
    pub fn turn(&mut self) {
        self.client = None;
        let next = self.current.saturating_add(1);
        self.current = if next < self.addresses.len() { next } else { 0 };
    }

    /// The host in use, connected.
    ///
    /// # Errors
    /// [`Error::NoHosts`]; [`Error::Unreachable`].
    pub async fn connected(&mut self) -> Result<(HostAddress, Client), Error> {
        let host = *self.addresses.get(self.current).ok_or(Error::NoHosts)?;
        if let Some(client) = &self.client {
            return Ok((host, client.clone()));
        }
        let secret = secret_key(&self.seed)?;
        let connecting = Client::connect(host.address, host.key, self.chain, secret);
        let client = connecting
            .await
            .map_err(|source| unreachable(host, source))?;
        self.client = Some(client.clone());
        Ok((host, client))
    }

    /// What the host in use answers.
    ///
    /// # Errors
    /// [`Error::NoHosts`]; [`Error::Unreachable`]; [`Error::Silent`]; [`Error::HostRefuses`];
    /// [`Error::Unproven`] for bytes that are no reply.
    pub async fn answer(&mut self, request: &Request) -> Result<(HostAddress, Answer), Error> {
        let (host, client) = self.connected().await?;
        let question = wire::to_bytes(&self.question(request))?;
        let mut answer = ask(host, client, question, self.patience).await?;
        self.complete(&mut answer);
        Ok((host, answer))
    }

    /// What the host in use answers to each request, some of them at one time.
    ///
    /// # Errors
    /// As [`Hosts::answer`], for the first that fails.
    pub async fn answers(
        &mut self,
        requests: &[Request],
    ) -> Result<(HostAddress, Vec<Answer>), Error> {
        let (host, client) = self.connected().await?;
        let mut answers = Vec::with_capacity(requests.len());
        for some in requests.chunks(OPEN_MAX) {
            let mut tasks = JoinSet::new();
            for (place, request) in some.iter().enumerate() {
                let bytes = wire::to_bytes(&self.question(request))?;
                let (client, patience) = (client.clone(), self.patience);
                tasks.spawn(async move { (place, ask(host, client, bytes, patience).await) });
            }
            let mut done = tasks.join_all().await;
            done.sort_by_key(|(place, _)| *place);
            for (_, answer) in done {
                let mut answer = answer?;
                self.complete(&mut answer);
                answers.push(answer);
            }
        }
        Ok((host, answers))
    }

    /// Hands the request to the host in use and gives each step that it reports to `on_step`, until
    /// that returns false or the host ends the stream.
    ///
    /// # Errors
    /// As [`Hosts::answer`].
    pub async fn steps(
        &mut self,
        request: &Request,
        on_step: &mut (dyn FnMut(&Step) -> bool + Send),
    ) -> Result<HostAddress, Error> {
        let (host, client) = self.connected().await?;
        let bytes = wire::to_bytes(&self.question(request))?;
        let asked = client.request(bytes).await;
        let mut replies = asked.map_err(|source| unreachable(host, source))?;
        let silent = |_| Error::Silent { host: host.key };
        while let Some(reply) = timeout(self.patience, replies.next())
            .await
            .map_err(silent)?
        {
            let reply = reply.map_err(|source| unreachable(host, source))?;
            match read(host, &reply)? {
                Reply::Error(refusal) => {
                    let host = host.key;
                    return Err(Error::HostRefuses { host, refusal });
                }
                Reply::Progress(steps) => {
                    if !steps.iter().all(&mut *on_step) {
                        return Ok(host);
                    }
                }
                Reply::Answer(_) | Reply::Manifest(_) | Reply::Chunk(_) => {}
            }
        }
        Ok(host)
    }
}

async fn ask(
    host: HostAddress,
    client: Client,
    request: Vec<u8>,
    patience: Duration,
) -> Result<Answer, Error> {
    let exchange = async {
        let asked = client.request(request).await;
        let mut replies = asked.map_err(|source| unreachable(host, source))?;
        while let Some(reply) = replies.next().await {
            let reply = reply.map_err(|source| unreachable(host, source))?;
            match read(host, &reply)? {
                Reply::Error(refusal) => {
                    let host = host.key;
                    return Err(Error::HostRefuses { host, refusal });
                }
                Reply::Progress(_) | Reply::Manifest(_) | Reply::Chunk(_) => {}
                Reply::Answer(answer) => return Ok(*answer),
            }
        }
        Err(Error::Silent { host: host.key })
    };
    let answered = timeout(patience, exchange).await;
    answered.unwrap_or(Err(Error::Silent { host: host.key }))
}

fn read(host: HostAddress, reply: &[u8]) -> Result<Reply, Error> {
    wire::from_bytes(reply).map_err(|source| Error::Unproven {
        host: host.key,
        source: Box::new(source),
    })
}

fn unreachable(host: HostAddress, source: net::Error) -> Error {
    Error::Unreachable {
        address: host.address,
        host: host.key,
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests;
