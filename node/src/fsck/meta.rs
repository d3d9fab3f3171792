//! Table `Meta`: each row against what the other rows say. What they say of stake, convictions and
//! rejections is written down while they are read.

use std::collections::BTreeMap;

use consensus::checkpoint::Checkpoint;
use consensus::seed;
use dag::event::Signed;
use ledger::committee::committee_digest;
use ledger::prune::KeptFrom;
use ledger::rows::{
    BlockRow, CommitteeRow, ConvictionRow, EntryRow, OutputRow, Place, RecordRow, StakeRow,
    committee_key, conviction_key, holder_key, named_key, rejected_key, stake_key,
};
use ledger::tx::{Body, Holder, Kind, Transaction};
use primitives::Digest;
use primitives::codec::{self, Canonical, List};
use primitives::keys::PublicKey;
use primitives::quorum::Threshold;
use primitives::store::{Store, Table};
use primitives::units::{Epoch, Height, Stake};
use replica::certify::holding;
use replica::rows::{CERTIFICATE, CHECKPOINT, CertificateRow, OWN_HEAD, QUARANTINED, seal_key};

use super::Fsck;
use super::rows::{At, demand, raw_rows, read, same};
use crate::error::Error;
use crate::export;

/// Every peer's stake by the height at which it counts (C2).
type Snapshots = BTreeMap<Height, BTreeMap<PublicKey, Stake>>;

/// What rows of other tables say of those of `Meta`.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// What each peer won and lost by a block, in coins.
    stakes: BTreeMap<Height, BTreeMap<PublicKey, i128>>,
    /// The newest rejection of each transaction.
    rejected: BTreeMap<Digest, Place>,
    /// What convicted each peer.
    convicted: BTreeMap<PublicKey, ConvictionRow>,
    /// Blocks with transactions.
    pub(super) leaves: u64,
}

impl Told {
    /// An output counts as its host's stake from its block on, until it is spent (C2).
    pub(super) fn output(&mut self, row: &OutputRow) {
        let created = &row.created;
        let Some(host) = created.output.host else {
            return;
        };
        let amount = i128::from(created.output.amount.get());
        let mut change = |height, by: i128| {
            let of_peers: &mut BTreeMap<_, _> = self.stakes.entry(height).or_default();
            *of_peers.entry(host).or_default() += by;
        };
        change(created.height, amount);
        if let Some(spent) = &row.spent {
            change(spent.block, -amount);
        }
    }

    pub(super) fn rejected(&mut self, id: Digest, place: Place) {
        self.rejected.insert(id, place);
    }

    /// Applied evidence convicts the peer that it names (C10).
    pub(super) fn applied(&mut self, id: Digest, transaction: Option<&Transaction>, place: Place) {
        let kind = transaction.map(|transaction| &transaction.body.kind);
        if let Some(Kind::Evidence(evidence)) = kind {
            let row = ConvictionRow {
                transaction: id,
                place,
            };
            self.convicted.insert(evidence.peer, row);
        }
    }
}

impl<S: Store> Fsck<'_, S> {
    /// Every row of the table, and that none is missing which other rows ask for.
    pub(super) fn meta(&mut self, newest: &BlockRow) -> Result<(), Error> {
        let store = self.store;
        self.older_convictions()?;
        let snapshots = self.snapshots(newest.header.height);
        let mut due = self.due(newest, &snapshots)?;
        let (mut leaves, mut names) = (0, 0_u64);
        let in_force = self
            .genesis
            .parameters
            .epoch_of(newest.header.height.later(1));
        raw_rows(store, Table::Meta, |key, row| {
            let wrong = At(Table::Meta, key);
            if let Some(wanted) = due.remove(key) {
                return same(&wrong, "row", row, &wanted);
            }
            match Named::of(key) {
                // Looked at with the transactions of their block.
                Some(Named::Leaves(height)) => {
                    leaves += u64::from(height >= self.kept.height);
                    Ok(())
                }
                Some(Named::Rejected) => self.idle_rejection(key, row),
                Some(Named::Committee(epoch)) if epoch <= in_force => Ok(()),
                Some(Named::Holder(position)) => {
                    names += 1;
                    self.holder(&position, row)
                }
                Some(Named::Name(position)) => {
                    names += 1;
                    self.name(&position, row)
                }
                Some(Named::Seal(epoch)) => self.seal(epoch),
                Some(Named::Certificate) => self.certificate(key, None),
                Some(Named::OwnHead) => self.own_head(row),
                Some(Named::KeptFrom) => self.mark(),
                Some(Named::Checkpoint | Named::Quarantined) => Ok(()),
                Some(Named::Committee(_)) | None => Err(wrong.bad("a row that nothing asks for")),
            }
        })?;
        if let Some(key) = due.keys().next() {
            return Err(At(Table::Meta, key).bad("missing"));
        }
        if leaves != self.told.leaves {
            let wanted = self.told.leaves;
            let wrong = At(Table::Meta, b"leaves");
            return Err(wrong.bad(format!("{leaves} rows where {wanted} were due")));
        }
        let wanted = newest.name.size.saturating_mul(2);
        if names != wanted {
            let wrong = At(Table::Meta, b"name");
            return Err(wrong.bad(format!("{names} rows where {wanted} were due")));
        }
        self.checkpoint(newest)?;
        let mut epochs = (0..=in_force.get()).map(Epoch::new);
        epochs.try_for_each(|epoch| self.committee_row(epoch, &snapshots))
    }

    /// The rows that follow from others byte by byte.
    fn due(
        &self,
        newest: &BlockRow,
        snapshots: &Snapshots,
    ) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Error> {
        let mut due = BTreeMap::new();
        for (height, stakes) in snapshots {
            let stakes = List::new(stakes.clone().into_iter().collect());
            let stakes = stakes.map_err(|error| At(Table::Meta, b"stake").bad(error))?;
            due.insert(stake_key(*height), encoded(&StakeRow { stakes })?);
        }
        for (id, place) in &self.told.rejected {
            due.insert(rejected_key(id), encoded(place)?);
        }
        for (peer, row) in &self.told.convicted {
            due.insert(conviction_key(peer), encoded(row)?);
        }
        let root = newest.header.root().map_err(replica::Error::from)?;
        let head = [&newest.header.height.get().to_le_bytes()[..], &root.0].concat();
        due.insert(b"head".to_vec(), head);
        Ok(due)
    }

    /// Every peer's stake at each height at which it is kept (C2), up to `head`.
    fn snapshots(&self, head: Height) -> Snapshots {
        let peers = self.genesis.peers.iter().map(|peer| peer.peer_key);
        let mut sums: BTreeMap<_, i128> = peers.map(|key| (key, 0)).collect();
        let mut changes = self.told.stakes.iter().peekable();
        let (mut snapshots, mut height) = (Snapshots::new(), Height::ZERO);
        while height <= head {
            while let Some((_, of_peers)) = changes.next_if(|(at, _)| **at <= height) {
                for (peer, by) in of_peers {
                    // Coin hosted with somebody else counts for nobody.
                    sums.entry(*peer).and_modify(|sum| *sum += by);
                }
            }
            let stake = |(key, sum): (&PublicKey, &i128)| {
                (*key, Stake::new(u64::try_from(*sum).unwrap_or(u64::MAX)))
            };
            snapshots.insert(height, sums.iter().map(stake).collect());
            height = height.later(self.genesis.parameters.period);
        }
        snapshots
    }

    /// Convictions by evidence that a pruned store no longer has: their places must be those of the
    /// index.
    fn older_convictions(&mut self) -> Result<(), Error> {
        let kept = self.kept.height;
        let store = self.store;
        let prefix = b"conviction";
        raw_rows(store, Table::Meta, |key, row| {
            let Some(peer) = key.strip_prefix(prefix) else {
                return Ok(());
            };
            let wrong = At(Table::Meta, key);
            let row: ConvictionRow = codec::decode(row).map_err(|error| wrong.bad(error))?;
            if row.place.height >= kept {
                return Ok(());
            }
            let found: Place = read(store, Table::TransactionIndex, &row.transaction.0)?;
            let peer = <[u8; 32]>::try_from(peer).map_err(|error| wrong.bad(error))?;
            if found != row.place {
                return Err(wrong.bad(format!("{:?} where {found:?} was due", row.place)));
            }
            self.told.convicted.insert(PublicKey(peer), row);
            Ok(())
        })
    }

    /// The members as the sealing block names them, and the stake they were chosen from (C1).
    fn committee_row(&self, epoch: Epoch, snapshots: &Snapshots) -> Result<(), Error> {
        let (key, parameters) = (committee_key(epoch), &self.genesis.parameters);
        let wrong = At(Table::Meta, &key);
        let row: CommitteeRow = read(self.store, Table::Meta, &key)?;
        let digest = committee_digest(&row.members.members);
        let digest = digest.map_err(|error| wrong.bad(error))?;
        // The sealing block names it; of epoch 0 the genesis block does.
        let before = parameters.first_height(epoch).earlier(1);
        let header = export::header(self.store, before)?;
        let header = header.ok_or_else(|| wrong.bad("of an epoch that has not begun"))?;
        let wanted = header.next_committee.unwrap_or(header.committee);
        same(&wrong, "committee digest", &digest.0, &wanted.0)?;
        let standing = |peer: &PublicKey| {
            let convicted = self.told.convicted.get(peer);
            epoch == Epoch::ZERO || convicted.is_none_or(|by| by.place.height > before)
        };
        let stakes = snapshots
            .get(&parameters.snapshot_height(epoch))
            .into_iter()
            .flatten();
        let good = stakes.filter(|(peer, _)| standing(peer));
        let wanted = Stake::sum(good.map(|(_, stake)| *stake)).map_err(|error| wrong.bad(error))?;
        if row.eligible != wanted {
            let found = row.eligible;
            return Err(wrong.bad(format!("stake {found} where {wanted} was due")));
        }
        Ok(())
    }

    /// A pruned store that was not pruned to the end has rejections of blocks it no longer has.
    fn idle_rejection(&self, key: &[u8], row: &[u8]) -> Result<(), Error> {
        let wrong = At(Table::Meta, key);
        let place: Place = codec::decode(row).map_err(|error| wrong.bad(error))?;
        if place.height >= self.kept.height {
            return Err(wrong.bad("a rejection that no block has"));
        }
        Ok(())
    }

    fn mark(&self) -> Result<(), Error> {
        let (found, wanted) = (
            self.kept.height,
            self.genesis.parameters.first_height(self.kept.epoch),
        );
        if found != wanted {
            let wrong = At(Table::Meta, KeptFrom::KEY);
            return Err(wrong.bad(format!("height {found} where {wanted} was due")));
        }
        Ok(())
    }

    /// The holder of a name has it by the last transaction of its log.
    fn holder(&self, position: &Digest, row: &[u8]) -> Result<(), Error> {
        let key = holder_key(position);
        let wrong = At(Table::Meta, &key);
        let holder: Holder = codec::decode(row).map_err(|error| wrong.bad(error))?;
        let record: RecordRow = read(self.store, Table::Name, &position.0)?;
        if holder.number.checked_add(1) != Some(record.record.count) {
            return Err(wrong.bad("another number than that of the name's newest transaction"));
        }
        demand(self.store, Table::Meta, &named_key(position), &wrong)
    }

    /// The newest transaction of a name is the last of its log, and tells the holder.
    fn name(&self, position: &Digest, row: &[u8]) -> Result<(), Error> {
        let key = named_key(position);
        let wrong = At(Table::Meta, &key);
        let body: Body = codec::decode(row).map_err(|error| wrong.bad(error))?;
        let holder: Holder = read(self.store, Table::Meta, &holder_key(position))?;
        let at = [&position.0[..], &holder.number.to_be_bytes()].concat();
        let entry: EntryRow = read(self.store, Table::NameLog, &at)?;
        let id = body.id(&self.chain).map_err(|error| wrong.bad(error))?;
        same(&wrong, "transaction", &id.0, &entry.entry.txid.0)?;
        let holds = match &body.kind {
            Kind::Name { name, to, .. } => name.position() == *position && *to == holder.key,
            Kind::Transfer | Kind::Data { .. } | Kind::Evidence(_) | Kind::Commit { .. } => false,
        };
        if !holds {
            return Err(wrong.bad("not by which the holder has the name"));
        }
        Ok(())
    }

    fn seal(&mut self, epoch: Epoch) -> Result<(), Error> {
        let last = self.genesis.parameters.last_height(epoch);
        self.certificate(&seal_key(epoch), Some(last))
    }

    /// A certificate: of the block at `due` if that is known, with a quorum of signatures that hold.
    fn certificate(&mut self, key: &[u8], due: Option<Height>) -> Result<(), Error> {
        let wrong = At(Table::Meta, key);
        let row: CertificateRow = read(self.store, Table::Meta, key)?;
        let header = export::header(self.store, row.height)?;
        let header = header.filter(|_| due.is_none_or(|due| due == row.height));
        let header = header.ok_or_else(|| wrong.bad("of another block"))?;
        let root = header.root().map_err(|error| wrong.bad(error))?;
        same(&wrong, "root", &row.root.0, &root.0)?;
        let committee = self.committee(header.epoch, &wrong)?;
        let holding = holding(committee, row.height, &root, &row.signatures);
        let ascending = row.signatures.is_sorted_by(|one, next| one.0 < next.0);
        if holding.len() != row.signatures.len() || !ascending {
            return Err(wrong.bad("a signature does not hold"));
        }
        let stake = Stake::sum(holding.iter().map(|(creator, _)| committee.stake(*creator)));
        let stake = stake.map_err(|error| wrong.bad(error))?;
        if !committee.meets(Threshold::Quorum, stake) {
            return Err(wrong.bad(format!("stake {stake}, which is no quorum")));
        }
        Ok(())
    }

    /// Where consensus goes on (C31): behind the newest block.
    fn checkpoint(&self, newest: &BlockRow) -> Result<(), Error> {
        let wrong = At(Table::Meta, CHECKPOINT);
        let row: Checkpoint = read(self.store, Table::Meta, CHECKPOINT)?;
        let header = &newest.header;
        let epoch = self.genesis.parameters.epoch_of(header.height.later(1));
        let seed = if epoch == header.epoch {
            header.seed
        } else {
            seed::epoch(&header.seed, epoch)
        };
        let found = (row.version, row.epoch, row.height, row.seed, row.time);
        let wanted = (1, epoch, header.height, seed, header.time);
        if found != wanted {
            return Err(wrong.bad(format!("{found:?} where {wanted:?} was due")));
        }
        Ok(())
    }

    fn own_head(&self, row: &[u8]) -> Result<(), Error> {
        let wrong = At(Table::Meta, OWN_HEAD);
        let parts = row.split_first_chunk::<8>();
        let (seq, id) = parts.ok_or_else(|| wrong.bad("no sequence number"))?;
        let signed: Signed = read(self.store, Table::Event, id)?;
        let wanted = signed.header().seq.get().to_be_bytes();
        same(&wrong, "sequence number", seq, &wanted)
    }
}

/// The rows of the table that are not compared byte by byte.
enum Named {
    Leaves(Height),
    Rejected,
    Committee(Epoch),
    Holder(Digest),
    Name(Digest),
    Seal(Epoch),
    Certificate,
    Checkpoint,
    OwnHead,
    Quarantined,
    KeptFrom,
}

impl Named {
    fn of(key: &[u8]) -> Option<Self> {
        let numbered = |name: &[u8]| {
            let number = key.strip_prefix(name)?;
            Some(u64::from_be_bytes(number.try_into().ok()?))
        };
        let epoch = |name: &[u8]| numbered(name).map(Epoch::new);
        let positioned = |name: &[u8]| {
            let position = key.strip_prefix(name)?;
            position.try_into().ok().map(Digest)
        };
        match key {
            CERTIFICATE => Some(Self::Certificate),
            CHECKPOINT => Some(Self::Checkpoint),
            OWN_HEAD => Some(Self::OwnHead),
            QUARANTINED => Some(Self::Quarantined),
            KeptFrom::KEY => Some(Self::KeptFrom),
            _ if key.starts_with(b"rejected") => Some(Self::Rejected),
            _ => numbered(b"leaves")
                .map(|height| Self::Leaves(Height::new(height)))
                .or_else(|| positioned(b"holder").map(Self::Holder))
                .or_else(|| positioned(b"named").map(Self::Name))
                .or_else(|| epoch(b"committee").map(Self::Committee))
                .or_else(|| epoch(b"seal").map(Self::Seal)),
        }
    }
}

fn encoded(row: &impl Canonical) -> Result<Vec<u8>, Error> {
    Ok(codec::encode(row).map_err(replica::Error::from)?)
}
