//! A light client: its key, what it trusts, the hosts it asks, and the book of its own coins.
//!
//! ```text
//!   advance: the trusted head moves to a certified block that provably continues it
//!   sync:    the key's log is read to its end, each entry's transaction with it -> Book
//!   pay:     coins -> signed transaction -> outbox -> host -> stages -> proof
//! ```
//!
//! Only what is proven counts; the hosts are believed in nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger::Genesis;
use primitives::Digest;
use primitives::keys::{PublicKey, Signer};
use primitives::units::{Epoch, Time};
use wallet_proto::proof_file::{self, Claim, ProofFile};
use wallet_proto::reply::{Answer, Body, Code, Handover, Snapshot};
use wallet_proto::{Certified, Request, Trust, check};

use crate::book::Book;
use crate::error::Error;
use crate::home::{self, Head, Home, Seed, Settings};
use crate::hosts::{HostAddress, Hosts};
use crate::keys::secret_key;
use crate::policy::Policy;

mod agree;
mod balance;
mod names;
mod notarise;
mod pay;

use agree::head_of;
pub use agree::system_time;
pub use balance::{Balance, Pending};
pub use pay::{OnStage, Paid, Payment, Prepared};

/// How often all hosts are tried while their refusals may pass by themselves.
const PASSES_MAX: u32 = 20;
/// The wait between two such passes.
const PASS_PAUSE: Duration = Duration::from_millis(250);

/// How a wallet is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its folder.
    pub home: PathBuf,
    /// How long one host may think about one question.
    pub patience: Duration,
    /// What tells the time, so that a head's age can be told.
    pub clock: fn() -> Time,
}

impl Options {
    /// A wallet in this folder, by the time of this machine's clock.
    #[must_use]
    pub const fn new(home: PathBuf, patience: Duration) -> Self {
        Self {
            home,
            patience,
            clock: system_time,
        }
    }
}

/// A wallet with one key on one chain.
#[derive(Debug)]
pub struct Wallet {
    home: Home,
    seed: Seed,
    key: PublicKey,
    genesis: Genesis,
    trust: Trust,
    policy: Policy,
    clock: fn() -> Time,
    handovers: Vec<Handover>,
    head: Head,
    hosts: Hosts,
    book: Book,
}

impl Wallet {
    /// Makes a home with this key and these settings, or adds the settings to a home without them.
    /// A key is never overwritten.
    ///
    /// # Errors
    /// [`Error::HomeExists`]; [`Error::OtherChain`]; a file that cannot be read or written.
    pub fn create(home: &Home, seed: &Seed, settings: &Settings) -> Result<PublicKey, Error> {
        let settings = with_chain(settings)?;
        home.create(seed)?;
        home.write_settings(&settings)?;
        Ok(secret_key(seed)?.public())
    }

    /// Changes genesis and hosts of a home, where `settings` names any.
    ///
    /// # Errors
    /// [`Error::OtherChain`] for a home that is of another chain; a file that cannot be read or
    /// written.
    pub fn configure(home: &Home, settings: &Settings) -> Result<Settings, Error> {
        let (old, new) = (home.settings()?, with_chain(settings)?);
        if let (Some(wanted), Some(found)) = (&old.chain, &new.chain)
            && wanted != found
        {
            return Err(Error::OtherChain {
                found: found.parse()?,
                wanted: wanted.parse()?,
            });
        }
        let merged = Settings {
            genesis: new.genesis.or(old.genesis),
            chain: new.chain.or(old.chain),
            policy: new.policy.or(old.policy),
            hosts: if new.hosts.is_empty() {
                old.hosts
            } else {
                new.hosts
            },
        };
        home.write_settings(&merged)?;
        Ok(merged)
    }

    /// Opens the home of a wallet that knows its chain. Asks nobody yet.
    ///
    /// # Errors
    /// [`Error::NoKey`]; [`Error::NoGenesis`]; [`Error::OtherChain`]; a file that cannot be read.
    pub fn open(options: &Options) -> Result<Self, Error> {
        let home = Home::new(options.home.clone());
        let (seed, settings) = (home.seed()?, home.settings()?);
        let Some(path) = &settings.genesis else {
            let path = options.home.clone();
            return Err(Error::NoGenesis { path });
        };
        let genesis = home::read_genesis(path)?;
        let policy = match &settings.policy {
            Some(policy) => Policy::read(policy)?,
            None => Policy::of_genesis(path)?,
        };
        let mut trust = policy.trust.clone();
        let chain = genesis.chain_id()?;
        let named: Option<Digest> = settings.chain.as_deref().map(str::parse).transpose()?;
        for wanted in named.iter().chain([trust.chain()]) {
            if *wanted != chain {
                return Err(Error::OtherChain {
                    found: chain,
                    wanted: *wanted,
                });
            }
        }
        let handovers = home.handovers()?;
        trust.follow_all(&handovers)?;
        let stored = home.head()?.unwrap_or(policy.head);
        let head = if stored.height < policy.head.height {
            policy.head
        } else {
            stored
        };
        let hosts = Hosts::new(settings.hosts, chain, seed.clone(), options.patience);
        Ok(Self {
            key: secret_key(&seed)?.public(),
            book: Book::default(),
            home,
            seed,
            genesis,
            trust,
            policy,
            clock: options.clock,
            handovers,
            head,
            hosts,
        })
    }

    /// The wallet's key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What the wallet trusts.
    #[must_use]
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// The chain's genesis.
    #[must_use]
    pub const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The newest certified block that the wallet has moved to.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// The key's proven transactions and coins, as of the last time they were read.
    #[must_use]
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// A proof file for what `claim` says, from the first host that can give it.
    ///
    /// # Errors
    /// The last host's failure, where none proves it.
    pub async fn proof(&mut self, claim: Claim) -> Result<Vec<u8>, Error> {
        self.advance().await?;
        if let Claim::Committee { epoch } = claim {
            let answer = self.handed_over(epoch)?;
            return self.proof_file(claim, answer);
        }
        let answer = self
            .ask(&claim.request(), |answer, trust| {
                claim.check(answer, trust).map(|_| answer.clone())
            })
            .await?;
        self.proof_file(claim, answer)
    }

    /// A policy file that starts from the newest block, which the trusted head moves to.
    ///
    /// # Errors
    /// The last host's failure, where none proves the block.
    pub async fn checkpoint(&mut self, path: &Path) -> Result<String, Error> {
        let certified = self.advance().await?;
        let (found, last) = (certified.header().epoch, self.trust.epoch());
        if found != last {
            return Err(wallet_proto::Error::UnknownEpoch { found, last }.into());
        }
        Policy::checkpoint(&self.trust, &self.head, path)
    }

    /// The answer that showed the committee of `epoch`.
    fn handed_over(&self, epoch: Epoch) -> Result<Answer, Error> {
        let mut known = self.handovers.iter();
        let known = known.find(|known| known.sealing.header.epoch.later(1) == epoch);
        let unknown = wallet_proto::Error::UnknownEpoch {
            found: epoch,
            last: self.trust.epoch(),
        };
        let known = known.ok_or(unknown)?;
        Ok(Answer {
            snapshot: known.sealing.clone(),
            body: Body::Committee(known.members.clone()),
        })
    }

    /// Moves the trusted head to the newest block that a host proves to continue it.
    pub(crate) async fn advance(&mut self) -> Result<Certified, Error> {
        let (due, asked) = self.hosts_due();
        let certified = if asked > 1 {
            let agreed = self.agree(due, asked).await?;
            self.trust = agreed.trust;
            // It may be behind the block that was agreed on.
            self.hosts.release();
            self.handovers.extend(agreed.handovers);
            self.home.write_handovers(&self.handovers)?;
            agreed.certified
        } else {
            let old = self.head;
            let request = Request::Consistency { old: old.height };
            self.ask(&request, |answer, trust| {
                check::consistency(old.height, &old.root, answer, trust)
            })
            .await?
        };
        self.head = head_of(&certified);
        self.home.advance_head(self.head)?;
        Ok(certified)
    }

    /// The proven answer of the first host that gives one; what `check` refuses counts as none.
    pub(crate) async fn ask<T>(
        &mut self,
        request: &Request,
        check: impl Fn(&Answer, &Trust) -> Result<T, wallet_proto::Error>,
    ) -> Result<T, Error> {
        let mut worst = Error::NoHosts;
        for pass in 0..PASSES_MAX {
            if pass > 0 {
                tokio::time::sleep(PASS_PAUSE).await;
            }
            for _ in 0..self.hosts.count() {
                match self.ask_one(request, &check).await {
                    Ok(proven) => return Ok(proven),
                    Err(error) if error.another_host_may_help() => {
                        worst = worse(worst, error);
                        self.hosts.turn();
                    }
                    Err(error) => return Err(error),
                }
            }
            if !passes_by(&worst) {
                return Err(worst);
            }
        }
        Err(worst)
    }

    async fn ask_one<T>(
        &mut self,
        request: &Request,
        check: impl Fn(&Answer, &Trust) -> Result<T, wallet_proto::Error>,
    ) -> Result<T, Error> {
        let (host, answer) = self.hosts.answer(request).await?;
        self.follow(host, &answer.snapshot).await?;
        let proven = self.judge(host, &answer, check)?;
        self.hosts.hold(&answer.snapshot);
        Ok(proven)
    }

    /// Judges an answer of a host: not behind the trusted head, not at odds with it, and proven.
    pub(crate) fn judge<T>(
        &self,
        host: HostAddress,
        answer: &Answer,
        check: impl Fn(&Answer, &Trust) -> Result<T, wallet_proto::Error>,
    ) -> Result<T, Error> {
        let unproven = |source| Error::Unproven {
            host: host.key,
            source: Box::new(source),
        };
        let proven = check(answer, &self.trust).map_err(unproven)?;
        let (found, wanted) = (answer.snapshot.header.height, self.head.height);
        if found < wanted {
            let host = host.key;
            return Err(Error::Behind {
                host,
                found,
                wanted,
            });
        }
        if found == wanted {
            let root = answer.snapshot.header.root()?;
            if root != self.head.root {
                return Err(unproven(wallet_proto::Error::Other {
                    part: wallet_proto::error::Part::Snapshot,
                    found: root,
                    wanted: self.head.root,
                }));
            }
        }
        Ok(proven)
    }

    /// Follows the committees up to the epoch of a snapshot, as far as this host proves them.
    pub(crate) async fn follow(
        &mut self,
        host: HostAddress,
        snapshot: &Snapshot,
    ) -> Result<(), Error> {
        let followed = follow_on(&mut self.hosts, &mut self.trust, host, snapshot).await?;
        if !followed.is_empty() {
            self.handovers.extend(followed);
            self.home.write_handovers(&self.handovers)?;
        }
        Ok(())
    }

    pub(crate) fn proof_file(&self, claim: Claim, answer: Answer) -> Result<Vec<u8>, Error> {
        let epoch = answer.snapshot.header.epoch;
        let earlier = |handover: &&Handover| handover.sealing.header.epoch < epoch;
        let needed = self.handovers.iter().filter(earlier).cloned().collect();
        let file = ProofFile::new(*self.trust.chain(), claim, needed, answer)?;
        Ok(proof_file::to_bytes(&file)?)
    }
}

/// Lets `trust` follow the committees up to the epoch of a snapshot, as far as the host proves them;
/// returns the handovers.
async fn follow_on(
    hosts: &mut Hosts,
    trust: &mut Trust,
    host: HostAddress,
    snapshot: &Snapshot,
) -> Result<Vec<Handover>, Error> {
    let mut followed = Vec::new();
    while trust.epoch() < snapshot.header.epoch {
        let epoch = trust.epoch().later(1);
        let (_, answer) = hosts.answer(&Request::Committee { epoch }).await?;
        let handover = check::committee(answer, trust).map_err(|source| Error::Unproven {
            host: host.key,
            source: Box::new(source),
        })?;
        followed.push(handover);
    }
    Ok(followed)
}

/// The settings with absolute paths and the chain's id.
fn with_chain(settings: &Settings) -> Result<Settings, Error> {
    let mut settings = settings.clone();
    if let Some(path) = &settings.policy {
        let absolute = std::path::absolute(path).map_err(|source| Error::File {
            path: path.clone(),
            source,
        })?;
        Policy::read(&absolute)?;
        settings.policy = Some(absolute);
    }
    if let Some(path) = &settings.genesis {
        let absolute = std::path::absolute(path).map_err(|source| Error::File {
            path: path.clone(),
            source,
        })?;
        let chain = home::read_genesis(&absolute)?.chain_id()?;
        settings.chain = Some(chain.to_string());
        settings.genesis = Some(absolute);
    }
    Ok(settings)
}

/// A host that lies is worth more words than one that is away.
fn worse(old: Error, new: Error) -> Error {
    if matches!(old, Error::Unproven { .. }) {
        old
    } else {
        new
    }
}

/// Whether the failure may pass by itself within seconds.
fn passes_by(error: &Error) -> bool {
    let code = error.refusal_code();
    matches!(error, Error::Behind { .. }) || matches!(code, Some(Code::Busy | Code::TooEarly))
}

#[cfg(test)]
mod tests;
