//! `primus-testnet cut`, `heal`, `link`, `pause` and `resume`: what goes wrong with peers that run.

use std::collections::BTreeSet;
use std::str::FromStr;

use clap::Args;
use net::Link;
use rustix::process::Signal;
use serde_json::json;

use super::Context;
use crate::cluster::Cluster;
use crate::error::Error;
use crate::links::{self, Damage};

/// `primus-testnet link`: what is not named stays as it is.
#[derive(Debug, Args)]
pub struct LinkArguments {
    /// Who sends: numbers as in 0-3,7, or all.
    pub from: Numbers,
    /// Who receives: numbers as in 0-3,7, or all.
    pub to: Numbers,
    /// The least delay, in milliseconds.
    #[arg(long)]
    pub delay_ms: Option<u64>,
    /// The mean of what comes on top, in milliseconds.
    #[arg(long)]
    pub jitter_ms: Option<u64>,
    /// How many of a thousand datagrams are lost.
    #[arg(long)]
    pub loss: Option<u32>,
    /// How many of a thousand datagrams may be overtaken.
    #[arg(long)]
    pub reorder: Option<u32>,
    /// How many of a thousand datagrams arrive twice.
    #[arg(long)]
    pub duplicate: Option<u32>,
    /// How many of a thousand datagrams arrive with a flipped bit.
    #[arg(long)]
    pub corrupt: Option<u32>,
    /// Bytes a second; 0 is without limit.
    #[arg(long)]
    pub rate: Option<u64>,
}

/// Peers by number, as a user writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Numbers {
    /// Every one.
    All,
    /// These.
    Only(BTreeSet<usize>),
}

/// The most numbers that a range may name: there are fewer peers than that in any network.
const NUMBERS_MAX: usize = 1_000;

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::All);
        }
        let wrong = || format!("{text:?} is not a list of peers such as 0-3,7, nor `all`");
        let number = |text: &str| match text.parse::<usize>() {
            Ok(number) if number < NUMBERS_MAX => Ok(number),
            _ => Err(wrong()),
        };
        let mut numbers = BTreeSet::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            numbers.extend(number(first)?..=number(last)?);
        }
        match numbers.is_empty() {
            true => Err(wrong()),
            false => Ok(Self::Only(numbers)),
        }
    }
}

impl Numbers {
    fn contain(&self, peer: usize) -> bool {
        match self {
            Self::All => true,
            Self::Only(numbers) => numbers.contains(&peer),
        }
    }

    fn check(&self, cluster: &Cluster) -> Result<(), Error> {
        match self {
            Self::All => Ok(()),
            Self::Only(numbers) => numbers
                .iter()
                .try_for_each(|number| cluster.peer(*number).map(|_| ())),
        }
    }
}

impl LinkArguments {
    fn change(&self, link: &mut Link) {
        let pick = |new: Option<u32>, old: &mut u32| *old = new.unwrap_or(*old);
        link.delay_us = self
            .delay_ms
            .map_or(link.delay_us, |ms| ms.saturating_mul(1_000));
        link.tail_us = self
            .jitter_ms
            .map_or(link.tail_us, |ms| ms.saturating_mul(1_000));
        pick(self.loss, &mut link.loss);
        pick(self.reorder, &mut link.reorder);
        pick(self.duplicate, &mut link.duplicate);
        pick(self.corrupt, &mut link.corrupt);
        link.bandwidth = self.rate.unwrap_or(link.bandwidth);
    }
}

impl Context {
    pub(super) async fn cut(&self, side: &Numbers, one_way: bool) -> Result<u8, Error> {
        self.damage(&[side], |from, to, link| {
            let (leaves, enters) = (side.contain(from), side.contain(to));
            let is_crossing = leaves && !enters || enters && !leaves && !one_way;
            link.cut |= is_crossing;
        })
        .await
    }

    pub(super) async fn heal(&self) -> Result<u8, Error> {
        self.damage(&[], |_, _, link| *link = Link::default()).await
    }

    pub(super) async fn link(&self, arguments: &LinkArguments) -> Result<u8, Error> {
        let LinkArguments { from, to, .. } = arguments;
        self.damage(&[from, to], |sender, receiver, link| {
            if from.contain(sender) && to.contain(receiver) {
                arguments.change(link);
            }
        })
        .await
    }

    pub(super) fn pause(&self, peer: usize) -> Result<u8, Error> {
        Cluster::open(&self.folder)?.signal(peer, Signal::STOP)?;
        let words = format!("peer {peer} stands still");
        self.voice.say("paused", &words, &json!({"peer": peer}));
        Ok(0)
    }

    pub(super) fn resume(&self, peer: usize) -> Result<u8, Error> {
        Cluster::open(&self.folder)?.signal(peer, Signal::CONT)?;
        let words = format!("peer {peer} goes on");
        self.voice.say("resumed", &words, &json!({"peer": peer}));
        Ok(0)
    }

    /// Changes every link between two peers of which the first runs.
    async fn damage(
        &self,
        named: &[&Numbers],
        change: impl Fn(usize, usize, &mut Link),
    ) -> Result<u8, Error> {
        let (cluster, network) = self.open()?;
        for numbers in named {
            numbers.check(&cluster)?;
        }
        let count = cluster.peers().len();
        let runs = |index: &usize| cluster.peers()[*index].runs();
        let running: Vec<usize> = (0..count).filter(runs).collect();
        let old = links::read(&cluster, &network, &running).await?;
        let mut new = Damage::new();
        for from in &running {
            for to in (0..count).filter(|to| to != from) {
                let mut link = old.get(&(*from, to)).copied().unwrap_or_default();
                change(*from, to, &mut link);
                if link != Link::default() {
                    new.insert((*from, to), link);
                }
            }
        }
        links::write(&cluster, &network, &running, &new).await?;
        let cut = new.values().filter(|link| link.cut).count();
        let words = format!(
            "{cut} of {} links are cut, {} damaged otherwise; `primus-testnet heal` mends them",
            count * count.saturating_sub(1),
            new.len() - cut
        );
        let facts = json!({"cut": cut, "damaged": new.len() - cut});
        self.voice.say("links", &words, &facts);
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_named_by_numbers_ranges_and_all() {
        let numbers = |text: &str| text.parse::<Numbers>();
        assert_eq!(numbers("all"), Ok(Numbers::All));
        assert_eq!(numbers("0-2,7"), Ok(Numbers::Only([0, 1, 2, 7].into())));
        assert_eq!(numbers("3"), Ok(Numbers::Only([3].into())));
        for wrong in ["", "a", "3-1", "1-", "-1", "0-99999999999", "1,,2"] {
            let refused = numbers(wrong).unwrap_err();
            assert!(refused.contains("0-3,7"), "{refused}");
        }
    }
}
