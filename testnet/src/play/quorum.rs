//! Whether anything can settle while links are cut.

/// Whether some peers with a quorum of stake hear one another, over others if need be. Without that
/// no round of theirs can begin, since each begins with roots of a quorum (C6): those that nobody
/// reaches stop first, then those that only these reach. `talks` says whether what one peer sends
/// reaches the other at once.
pub(super) fn exists(stakes: &[u64], talks: impl Fn(usize, usize) -> bool) -> bool {
    let total: u128 = stakes.iter().copied().map(u128::from).sum();
    let reached = |from: usize, forward: bool| {
        let mut seen = vec![false; stakes.len()];
        let mut open = vec![from];
        seen[from] = true;
        while let Some(peer) = open.pop() {
            for (next, seen) in seen.iter_mut().enumerate() {
                let hears = if forward {
                    talks(peer, next)
                } else {
                    talks(next, peer)
                };
                if hears && !*seen {
                    *seen = true;
                    open.push(next);
                }
            }
        }
        seen
    };
    (0..stakes.len()).any(|peer| {
        let both = reached(peer, true).into_iter().zip(reached(peer, false));
        let stake: u128 = both
            .zip(stakes)
            .filter(|((to, from), _)| *to && *from)
            .map(|(_, stake)| u128::from(*stake))
            .sum();
        3 * stake > 2 * total
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quorum_is_among_those_that_hear_one_another() {
        let stakes = [1; 13];
        assert!(exists(&stakes, |_, _| true));
        assert!(!exists(&stakes, |a, b| (a < 7) == (b < 7)));
        assert!(exists(&stakes, |a, b| (a < 9) == (b < 9)));
        // One way: the nine still hear one another, the seven do not suffice.
        assert!(exists(&stakes, |a, b| !(a < 9 && b >= 9)));
        assert!(!exists(&stakes, |a, b| !(a < 7 && b >= 7)));
        // A ring: everybody hears everybody in the end.
        assert!(exists(&stakes, |a, b| (a + 1) % 13 == b));
        assert!(!exists(&[2, 1], |_, _| false) && exists(&[3, 1], |_, _| false));
    }
}
