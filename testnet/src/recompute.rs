//! An exported DAG, decided and ordered again by the slow reference of the commit rule: whatever the
//! engine did, somebody who reads the specification must come to the same blocks.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use consensus::reference::{Graph, Member, Vertex, blocks};
use primitives::Digest;
use primitives::digest::from_hex;
use primitives::keys::PublicKey;
use serde::Deserialize;

use crate::error::Error;

/// What was recomputed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recomputed {
    /// Events of the export.
    pub events: usize,
    /// Blocks of the export, all equal to the recomputed ones.
    pub blocks: usize,
    /// Events that they order.
    pub ordered: usize,
}

#[derive(Debug, Deserialize)]
struct Export {
    chain_id: String,
    epoch: u64,
    seed: String,
    committee: Vec<ExportedMember>,
    events: Vec<ExportedEvent>,
    blocks: Vec<ExportedBlock>,
}

#[derive(Debug, Deserialize)]
struct ExportedMember {
    key: String,
    stake: u64,
}

#[derive(Debug, Deserialize)]
struct ExportedEvent {
    id: String,
    creator: u16,
    seq: u64,
    round: u64,
    root: bool,
    time: u64,
    self_parent: Option<String>,
    votes: Vec<String>,
    parents: Vec<String>,
    vrf: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ExportedBlock {
    height: u64,
    round: u64,
    leader: String,
    order: Vec<String>,
}

/// Reads the export at `path` and compares its blocks with those of the reference. Cost: that of a
/// slow reference, seconds for some thousand events.
///
/// # Errors
/// [`Error::Recomputed`] naming the first block that differs, or what cannot be read.
pub fn recompute(path: &Path) -> Result<Recomputed, Error> {
    let file = File::open(path).map_err(|error| Error::file(path, error))?;
    let export: Export = serde_json::from_reader(BufReader::new(file))
        .map_err(|error| differs(path, format!("not an export: {error}")))?;
    let graph = graph(&export).map_err(|reason| differs(path, reason))?;
    let found = blocks(&graph).map_err(|error| differs(path, error.to_string()))?;
    if found.len() < export.blocks.len() {
        let (found, wanted) = (found.len(), export.blocks.len());
        return Err(differs(
            path,
            format!("{found} blocks follow where {wanted} are exported"),
        ));
    }
    // The reference counts the blocks of one epoch from 1.
    let before = match export.blocks.first() {
        Some(first) if export.epoch > 0 => first.height.saturating_sub(1),
        Some(_) | None => 0,
    };
    for (found, exported) in found.iter().zip(&export.blocks) {
        let order: Vec<String> = found.order.iter().map(Digest::to_string).collect();
        let height = before.checked_add(found.height);
        let same = (height, found.round) == (Some(exported.height), exported.round)
            && found.leader.to_string() == exported.leader
            && order == exported.order;
        if !same {
            return Err(differs(path, format!("block {} differs", exported.height)));
        }
    }
    Ok(Recomputed {
        events: graph.events.len(),
        blocks: export.blocks.len(),
        ordered: export.blocks.iter().map(|block| block.order.len()).sum(),
    })
}

fn differs(path: &Path, reason: String) -> Error {
    Error::Recomputed {
        path: path.to_path_buf(),
        reason,
    }
}

fn graph(export: &Export) -> Result<Graph, String> {
    let member = |member: &ExportedMember| {
        Ok(Member {
            key: PublicKey(bytes(&member.key)?),
            stake: member.stake,
        })
    };
    Ok(Graph {
        chain_id: digest(&export.chain_id)?,
        epoch: export.epoch,
        seed: digest(&export.seed)?,
        committee: export
            .committee
            .iter()
            .map(member)
            .collect::<Result<_, String>>()?,
        events: export
            .events
            .iter()
            .map(vertex)
            .collect::<Result<_, String>>()?,
    })
}

fn vertex(event: &ExportedEvent) -> Result<Vertex, String> {
    let digests = |texts: &[String]| -> Result<Vec<Digest>, String> {
        texts.iter().map(|text| digest(text)).collect()
    };
    Ok(Vertex {
        id: digest(&event.id)?,
        creator: event.creator,
        seq: event.seq,
        round: event.round,
        root: event.root,
        time: event.time,
        self_parent: event.self_parent.as_deref().map(digest).transpose()?,
        votes: digests(&event.votes)?,
        parents: digests(&event.parents)?,
        vrf: event.vrf.as_deref().map(bytes).transpose()?,
    })
}

fn digest(text: &str) -> Result<Digest, String> {
    bytes(text).map(Digest)
}

fn bytes(text: &str) -> Result<[u8; 32], String> {
    from_hex(text).map_err(|error| format!("{text}: {error}"))
}
