//! What the next own event links to (C5 to C8, C10, C34).

use alloc::vec::Vec;

use dag::Dag;
use dag::ancestry::Ancestry;
use dag::event::{Kind, Reference};
use dag::graph::{Handle, Vertex};
use primitives::limits;
use primitives::units::{PeerIndex, Round, Seq, Time};

use crate::creation::{Composition, has_votable_quorum};

/// Branches of one forker that an honest peer ever references (C10).
const BRANCHES_MAX: usize = 2;

/// The links of peer `own`'s next event. Cost: O(peers * branches).
pub(super) fn compose(dag: &Dag, own: PeerIndex, kind: Kind, round: Round) -> Composition {
    let latest = dag.latest(own);
    let votes = match kind {
        Kind::Root if round > Round::ZERO => votes(dag, own, latest, round.earlier(1)),
        Kind::Root | Kind::Data => Vec::new(),
    };
    let mut past = Ancestry::default();
    for vertex in votes.iter().chain(&latest) {
        past.merge(vertex.ancestry());
    }
    Composition {
        kind,
        round,
        seq: latest.map_or(Seq::ZERO, |latest| latest.seq().later(1)),
        self_parent: latest.map(Vertex::reference),
        votes: votes.into_iter().map(Vertex::reference).collect(),
        parents: other_parents(dag, own, (kind, round), past),
        time_min: latest.map_or(Time::ZERO, Vertex::time),
    }
}

/// Roots of the round before of every peer not known to fork, and the own one; of forkers too where
/// those are no quorum (C6, C34).
fn votes<'a>(
    dag: &'a Dag,
    own: PeerIndex,
    latest: Option<&Vertex>,
    round: Round,
) -> Vec<&'a Vertex> {
    let own_root = latest
        .and_then(Vertex::chain_root)
        .and_then(|root| dag.vertex(root))
        .filter(|root| root.round() == round);
    let is_quorum = has_votable_quorum(dag, round);
    let is_asked =
        |root: &&Vertex| root.creator() != own && !(is_quorum && dag.is_forker(root.creator()));
    let mut votes: Vec<&Vertex> = dag
        .root_handles(round)
        .iter()
        .filter_map(|handle| dag.vertex(*handle))
        .filter(is_asked)
        .chain(own_root)
        .collect();
    votes.sort_by_key(|root| root.creator());
    // A fork from below the floor shows no pair of one seq, but may show two roots of one round.
    votes.dedup_by_key(|root| root.creator());
    votes
}

/// The newest events of the others that are in reach and not in `past`, which is what the event
/// has in its past through self-parent and votes (C8).
fn other_parents(
    dag: &Dag,
    own: PeerIndex,
    (kind, round): (Kind, Round),
    mut past: Ancestry,
) -> Vec<Reference> {
    let highest = match kind {
        // Round 0 has no lower rounds to name.
        Kind::Root if round == Round::ZERO => return Vec::new(),
        Kind::Root => round.earlier(1),
        Kind::Data => round,
    };
    let mut newest: Vec<(Handle, &Vertex)> = Vec::new();
    for (creator, _) in dag
        .committee()
        .iter()
        .filter(|(creator, _)| *creator != own)
    {
        let mut branches: Vec<(Handle, &Vertex)> = dag.newest_up_to(creator, highest).collect();
        // Branches referenced before come first, then the oldest (a stable sort).
        branches.sort_by_key(|(_, vertex)| past.number(vertex.place().branch) == 0);
        newest.extend(branches.into_iter().take(BRANCHES_MAX));
    }
    // What was admitted later is never in the past of what was admitted before.
    newest.sort_unstable_by_key(|(handle, _)| core::cmp::Reverse(*handle));
    let mut parents = Vec::new();
    for (_, vertex) in newest {
        let is_near = vertex.round().later(limits::PARENT_ROUNDS_MAX) >= round;
        if is_near && !past.sees(vertex.place()) {
            past.merge(vertex.ancestry());
            parents.push(vertex.reference());
        }
    }
    parents.sort_unstable_by_key(Reference::key);
    parents
}
