//! What a root may vote for, in a committee of three peers that follow the rules and a liar, all with
//! the same stake.

/// Peers that follow the rules, by index; the liar comes after them.
pub(super) const HONEST: usize = 3;
/// All peers.
pub(super) const PEERS: usize = HONEST + 1;
/// Creators that form a quorum: 3 * 3 > 2 * 4.
const QUORUM: usize = 3;
/// Roots that the liar makes in round 0: as candidates of one slot.
pub(super) const BRANCHES: usize = 2;

/// The votes of a root: which of the three, and which of the liar's roots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pick {
    /// Which of the three.
    pub(super) honest: [bool; HONEST],
    /// Which of the liar's roots of the round before, by number.
    pub(super) liar: Option<usize>,
}

impl Pick {
    fn is_quorum(&self) -> bool {
        let creators = self.honest.iter().filter(|is_in| **is_in).count();
        creators + usize::from(self.liar.is_some()) >= QUORUM
    }

    /// Every pick of a quorum where the liar has made `variants` roots.
    fn all(variants: usize) -> impl Iterator<Item = Self> {
        let sets = (0..1 << HONEST).map(|bits| [0, 1, 2].map(|peer| bits >> peer & 1 == 1));
        let liars = move || std::iter::once(None).chain((0..variants).map(Some));
        let picks = sets.flat_map(move |honest| liars().map(move |liar| Self { honest, liar }));
        picks.filter(Self::is_quorum)
    }

    /// What a peer that follows the rules may vote for: itself, and a quorum in all (C6).
    pub(super) fn of_honest(peer: usize, variants: usize) -> Vec<Self> {
        Self::all(variants)
            .filter(|pick| pick.honest[peer])
            .collect()
    }

    /// What the liar may vote for: one of its own roots on whose chain it stands, or none if it stands
    /// on none.
    pub(super) fn of_liar(variants: usize) -> Vec<Self> {
        Self::all(variants).collect()
    }
}

/// The candidates of round 0 that a root of round 2 certifies (C12): of the three, and of the liar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Label([bool; HONEST + BRANCHES]);

/// What a root of round 2 certifies that votes like this for roots of round 1, which vote like those.
pub(super) fn label(pick: Pick, honest: &[Pick; HONEST], liar: &[Pick]) -> Label {
    let voted = honest
        .iter()
        .zip(pick.honest)
        .filter_map(|(vote, is_in)| is_in.then_some(vote))
        .chain(pick.liar.and_then(|variant| liar.get(variant)));
    let mut votes = [0; HONEST + BRANCHES];
    for vote in voted {
        for (peer, is_in) in vote.honest.iter().enumerate() {
            votes[peer] += usize::from(*is_in);
        }
        if let Some(branch) = vote.liar {
            votes[HONEST + branch] += 1;
        }
    }
    Label(votes.map(|creators| creators >= QUORUM))
}

/// Every way in which the three may vote in round 1, but for the names of the three and of the
/// branches.
pub(super) fn first_votes() -> Vec<[Pick; HONEST]> {
    let options = [0, 1, 2].map(|peer| Pick::of_honest(peer, BRANCHES));
    let mut all = Vec::new();
    for a in &options[0] {
        for b in &options[1] {
            for c in &options[2] {
                let votes = [*a, *b, *c];
                if renamings(&votes).all(|renamed| votes <= renamed) {
                    all.push(votes);
                }
            }
        }
    }
    all
}

/// The same votes under other names.
fn renamings(votes: &[Pick; HONEST]) -> impl Iterator<Item = [Pick; HONEST]> {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    orders.into_iter().flat_map(move |order| {
        [false, true].map(|swaps| {
            order.map(|peer: usize| Pick {
                honest: order.map(|other| votes[peer].honest[other]),
                liar: votes[peer].liar.map(|branch| match swaps {
                    true => BRANCHES - 1 - branch,
                    false => branch,
                }),
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_as_many_picks_as_the_rule_allows() {
        assert_eq!(Pick::of_honest(1, 2).len(), 7);
        assert_eq!(Pick::of_honest(0, 9).len(), 28);
        assert_eq!(Pick::of_liar(2).len(), 9);
        let least = first_votes();
        let all: BTreeSet<_> = least.iter().flat_map(renamings).collect();
        assert_eq!((all.len(), least.len()), (7 * 7 * 7, 37));
    }

    #[test]
    fn what_three_creators_voted_for_is_certified() {
        let pick = |liar| Pick {
            honest: [true; HONEST],
            liar,
        };
        let (all, with) = (pick(None), |branch| pick(Some(branch)));
        let votes = [with(0), with(0), with(1)];
        let certified = |pick, liar: &[Pick]| label(pick, &votes, liar).0;
        assert_eq!(certified(all, &[]), [true, true, true, false, false]);
        let fourth = [with(0), with(1)];
        assert_eq!(certified(with(0), &fourth), [true, true, true, true, false]);
        assert_eq!(
            certified(with(1), &fourth),
            [true, true, true, false, false]
        );
    }
}
