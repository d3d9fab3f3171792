//! Naming an event by who made it and where it stands, as far as that tells it apart.

use alloc::vec::Vec;

use primitives::units::{PeerIndex, Round, Seq};

use crate::event::Reference;
use crate::graph::{Dag, Vertex};

/// An event without its id: enough where nobody forked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pointer {
    /// The creator's root of a round.
    Root(PeerIndex, Round),
    /// The creator's event of a sequence number.
    Seq(PeerIndex, Seq),
}

impl Pointer {
    /// Whose event it is.
    #[must_use]
    pub const fn creator(&self) -> PeerIndex {
        match self {
            Self::Root(creator, _) | Self::Seq(creator, _) => *creator,
        }
    }
}

/// More than one held event is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Several;

impl Dag {
    /// The only held event that a pointer may mean, if any. Cost: O(log events).
    ///
    /// # Errors
    /// [`Several`] if its creator forked there.
    pub fn only(&self, pointer: Pointer) -> Result<Option<Reference>, Several> {
        let handle = match pointer {
            Pointer::Root(creator, round) => {
                let level = self.levels.get(&round);
                level
                    .and_then(|level| level.only_roots.get(&creator))
                    .copied()
            }
            Pointer::Seq(creator, seq) => match self.chains.get(&(creator, seq)).map(Vec::as_slice)
            {
                None | Some([]) => None,
                Some([handle]) => Some(Ok(*handle)),
                Some([_, _, ..]) => Some(Err(Several)),
            },
        };
        let vertex = handle.transpose()?.and_then(|handle| self.vertex(handle));
        Ok(vertex.map(Vertex::reference))
    }
}
