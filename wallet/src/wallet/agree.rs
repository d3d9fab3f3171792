//! A head that is too old to be followed through one host: several must agree on where it leads.
//!
//! Whoever was in the committee of an old head may have left since, and loses nothing by signing
//! another chain. Every signature on such a chain holds; that honest hosts know another one is all
//! that gives it away (weak subjectivity, docs/spec/proofs.md section 6).

use std::time::{SystemTime, UNIX_EPOCH};

use primitives::keys::PublicKey;
use primitives::units::Time;
use tokio::time::sleep;
use wallet_proto::reply::Handover;
use wallet_proto::trust::is_stale;
use wallet_proto::{Certified, Request, Trust, check};

use super::{PASS_PAUSE, PASSES_MAX, Wallet, follow_on, passes_by, worse};
use crate::error::Error;
use crate::home::Head;

/// Where one host leads from the trusted head, with the committees on its way.
#[derive(Debug)]
pub(super) struct Testimony {
    pub(super) host: PublicKey,
    pub(super) trust: Trust,
    pub(super) handovers: Vec<Handover>,
    pub(super) certified: Certified,
}

impl Wallet {
    /// How many hosts must agree on the next head, at least 1, and how many are asked.
    pub(super) fn hosts_due(&self) -> (usize, usize) {
        let (policy, now) = (&self.policy, (self.clock)());
        if !is_stale(self.head.time, now, policy.trust_period_ms) {
            return (1, 1);
        }
        // A committee of one peer has no second host to ask.
        let due = policy.hosts_min.min(self.trust.members().len()).max(1);
        if !policy.chosen && self.head.height == policy.head.height {
            // The first contact of a wallet that was given no more than a genesis: as many as it has.
            return (1, due.min(self.hosts.count()).max(1));
        }
        (due, due)
    }

    /// Where at least `due` of `asked` hosts lead from the trusted head, all of them on one chain.
    ///
    /// # Errors
    /// [`Error::HostsDisagree`]; [`Error::Stale`] if too few answer; the last host's failure if none
    /// does.
    pub(super) async fn agree(&mut self, due: usize, asked: usize) -> Result<Testimony, Error> {
        let mut first: Option<Testimony> = None;
        let mut heard: Vec<PublicKey> = Vec::new();
        let mut worst = Error::NoHosts;
        for pass in 0..PASSES_MAX {
            if pass > 0 {
                sleep(PASS_PAUSE).await;
            }
            let mut may_pass = false;
            for _ in 0..self.hosts.count() {
                if heard.len() >= asked {
                    break;
                }
                match self.hear(first.as_ref(), &heard).await {
                    Ok(Some(testimony)) => {
                        heard.push(testimony.host);
                        first = first.or(Some(testimony));
                    }
                    Ok(None) => {}
                    Err(error) if error.another_host_may_help() => {
                        may_pass |= passes_by(&error);
                        worst = worse(worst, error);
                    }
                    Err(error) => return Err(error),
                }
                self.hosts.turn();
            }
            if heard.len() >= due || !may_pass {
                break;
            }
        }
        let heard = heard.len();
        match first {
            Some(first) if heard >= due => Ok(first),
            Some(_) => Err(Error::Stale {
                height: self.head.height,
                heard,
                due,
            }),
            None => Err(worst),
        }
    }

    /// What the host in use testifies, unless it has been heard: by itself from the trusted head, or
    /// that it knows the block that the first one led to.
    async fn hear(
        &mut self,
        first: Option<&Testimony>,
        heard: &[PublicKey],
    ) -> Result<Option<Testimony>, Error> {
        let (host, _) = self.hosts.connected().await?;
        if heard.contains(&host.key) {
            return Ok(None);
        }
        let from = first.map_or(self.head, |first| head_of(&first.certified));
        let request = Request::Consistency { old: from.height };
        let (_, answer) = self.hosts.answer(&request).await?;
        // Its own committees: those of another host might be forged.
        let mut trust = self.trust.clone();
        let handovers = follow_on(&mut self.hosts, &mut trust, host, &answer.snapshot).await?;
        let checked = check::consistency(from.height, &from.root, &answer, &trust);
        match (checked, first) {
            (Ok(certified), _) => Ok(Some(Testimony {
                host: host.key,
                trust,
                handovers,
                certified,
            })),
            (Err(wallet_proto::Error::Other { .. }), Some(first)) => Err(Error::HostsDisagree {
                first: first.host,
                second: host.key,
                height: from.height,
            }),
            (Err(source), _) => Err(Error::Unproven {
                host: host.key,
                source: Box::new(source),
            }),
        }
    }
}

/// The head that a certified block is.
pub(super) const fn head_of(certified: &Certified) -> Head {
    Head {
        height: certified.height(),
        root: *certified.root(),
        time: certified.header().time,
    }
}

/// The time of this machine's clock.
#[must_use]
pub fn system_time() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.unwrap_or_default().as_millis();
    Time::new(u64::try_from(millis).unwrap_or(u64::MAX))
}
