//! Small graphs, drawn as text.

use std::collections::BTreeMap;

use super::*;
use primitives::digest::derive;
use primitives::domain::Domain;

/// A drawn graph and the names in it.
pub(super) struct Drawing {
    pub(super) graph: Graph,
    ids: BTreeMap<String, Digest>,
}

impl Drawing {
    /// Reads a drawing for peers a, b, c, ... with the given stakes.
    ///
    /// One event a line: `name @time < name name ...`; time and parents may be left out. A name is
    /// a peer's letter, a round, `'` on a forked branch, and for data events a dot and more. Of a
    /// root the roots of the round before are votes, everything else is another parent. The
    /// self-parent is the last event of the peer on the branch, or before the fork.
    pub(super) fn new(stakes: &[u64], text: &str) -> Self {
        let chain_id = derive(Domain::TestKey, &[b"drawing"]);
        let members = stakes.iter().zip(1_u8..);
        let graph = Graph {
            chain_id,
            epoch: 0,
            seed: race::genesis_seed(&chain_id),
            committee: members
                .map(|(stake, n)| Member {
                    key: PublicKey([n; 32]),
                    stake: *stake,
                })
                .collect(),
            events: vec![],
        };
        let mut drawing = Self {
            graph,
            ids: BTreeMap::new(),
        };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            drawing.draw(line);
        }
        drawing
    }

    /// The id of a name.
    pub(super) fn id(&self, name: &str) -> Digest {
        self.ids[name]
    }

    /// Where a name stands in an order.
    pub(super) fn place(&self, order: &[Digest], name: &str) -> usize {
        order.iter().position(|id| *id == self.id(name)).unwrap()
    }

    /// The name of an id.
    pub(super) fn name(&self, id: &Digest) -> &str {
        self.ids.iter().find(|(_, other)| *other == id).unwrap().0
    }

    fn draw(&mut self, line: &str) {
        let (head, links) = line.split_once('<').unwrap_or((line, ""));
        let (name, time) = head.split_once('@').unwrap_or((head, "0"));
        let name = name.trim();
        let (creator, round, branch, root) = read(name);
        let last = |branch: bool| {
            let mine = self.ids.iter().filter(|(name, _)| {
                let (other, other_round, other_branch, _) = read(name);
                other == creator && other_branch == branch && other_round + u64::from(root) <= round
            });
            let mine = mine.map(|(_, id)| self.vertex(id));
            mine.max_by_key(|vertex| vertex.seq)
        };
        let fork = || last(false).filter(|before| before.round < round);
        let own = if branch {
            last(true).or_else(fork)
        } else {
            last(false)
        };
        let own = own.map(|vertex| (vertex.id, vertex.seq));
        let links: Vec<Digest> = links
            .split_whitespace()
            .map(|link| self.ids[link])
            .collect();
        let (votes, parents) = links.into_iter().partition(|link| {
            let vertex = self.vertex(link);
            root && vertex.root && vertex.round + 1 == round
        });
        let id = derive(Domain::TestKey, &[name.as_bytes()]);
        self.graph.events.push(Vertex {
            id,
            creator,
            seq: own.map_or(0, |(_, seq)| seq + 1),
            round,
            root,
            time: time.trim().parse().unwrap(),
            self_parent: own.map(|(id, _)| id),
            votes,
            parents,
            vrf: root.then_some(id.0),
        });
        assert!(
            self.ids.insert(name.to_owned(), id).is_none(),
            "{name} drawn twice"
        );
    }

    fn vertex(&self, id: &Digest) -> &Vertex {
        self.graph
            .events
            .iter()
            .find(|vertex| vertex.id == *id)
            .unwrap()
    }
}

/// Peer, round, whether on the forked branch, whether a root.
fn read(name: &str) -> (u16, u64, bool, bool) {
    let letter = name.bytes().next().unwrap();
    let digits: String = name[1..].chars().take_while(char::is_ascii_digit).collect();
    let creator = u16::from(letter - b'a');
    (
        creator,
        digits.parse().unwrap(),
        name.contains('\''),
        !name.contains('.'),
    )
}
