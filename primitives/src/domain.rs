//! Every domain-separation tag, in one list. Tags are never reused or edited.

/// What a hash is for. One variant per tag; the tree tags are made by [`Domain::Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the tag itself says what each is for")]
pub enum Domain {
    Chain,
    Event,
    Payload,
    SeedGenesis,
    SeedNext,
    SeedEpoch,
    Tie,
    RaceLeader,
    RaceAnchor,
    Header,
    Committee,
    Transaction,
    Witness,
    GenesisTransaction,
    FeeTransaction,
    OutputCommitment,
    KeyPosition,
    NamePosition,
    Attestation,
    Aggregate,
    AggregateWeight,
    PeerRecord,
    Login,
    Receipt,
    Document,
    DeedField,
    Deed,
    Handshake,
    Audit,
    Guard,
    SnapshotChunk,
    TestKey,
    /// The key of one kind of node in one tree.
    Tree(Tree, Kind),
}

/// The Merkle trees (docs/spec/state.md section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as in the specification")]
pub enum Tree {
    Block,
    Tx,
    KeyMap,
    NameMap,
    KeyLog,
    NameLog,
    Outputs,
    Top,
}

/// The kinds of hash within one tree (docs/spec/state.md section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as in the specification")]
pub enum Kind {
    Leaf,
    Node,
    Record,
    Spent,
    Size,
    Empty,
}

macro_rules! tree_contexts {
    ($tree:expr, $kind:expr; $($variant:ident $name:literal),*) => {
        match ($tree, $kind) {
            $(
                (Tree::$variant, Kind::Leaf) => concat!("primus v1 ", $name, " leaf"),
                (Tree::$variant, Kind::Node) => concat!("primus v1 ", $name, " node"),
                (Tree::$variant, Kind::Record) => concat!("primus v1 ", $name, " record"),
                (Tree::$variant, Kind::Spent) => concat!("primus v1 ", $name, " spent"),
                (Tree::$variant, Kind::Size) => concat!("primus v1 ", $name, " size"),
                (Tree::$variant, Kind::Empty) => concat!("primus v1 ", $name, " empty"),
            )*
        }
    };
}

impl Domain {
    /// The BLAKE3 derive-key context of this domain.
    #[must_use]
    pub const fn context(self) -> &'static str {
        match self {
            Self::Chain => "primus v1 chain",
            Self::Event => "primus v1 event",
            Self::Payload => "primus v1 payload",
            Self::SeedGenesis => "primus v1 seed genesis",
            Self::SeedNext => "primus v1 seed next",
            Self::SeedEpoch => "primus v1 seed epoch",
            Self::Tie => "primus v1 tie",
            Self::RaceLeader => "primus v1 race leader",
            Self::RaceAnchor => "primus v1 race anchor",
            Self::Header => "primus v1 header",
            Self::Committee => "primus v1 committee",
            Self::Transaction => "primus v1 transaction",
            Self::Witness => "primus v1 witness",
            Self::GenesisTransaction => "primus v1 genesis transaction",
            Self::FeeTransaction => "primus v1 fee transaction",
            Self::OutputCommitment => "primus v1 output commitment",
            Self::KeyPosition => "primus v1 key position",
            Self::NamePosition => "primus v1 name position",
            Self::Attestation => "primus v1 attestation",
            Self::Aggregate => "primus v1 aggregate",
            Self::AggregateWeight => "primus v1 aggregate weight",
            Self::PeerRecord => "primus v1 peer record",
            Self::Login => "primus v1 login",
            Self::Receipt => "primus v1 receipt",
            Self::Document => "primus v1 document",
            Self::DeedField => "primus v1 deed field",
            Self::Deed => "primus v1 deed",
            Self::Handshake => "primus v1 handshake",
            Self::Audit => "primus v1 audit",
            Self::Guard => "primus v1 guard",
            Self::SnapshotChunk => "primus v1 snapshot chunk",
            Self::TestKey => "primus v1 test key",
            Self::Tree(tree, kind) => tree_contexts!(tree, kind;
                Block "block", Tx "tx", KeyMap "keymap", NameMap "namemap",
                KeyLog "klog", NameLog "nlog", Outputs "outs", Top "top"),
        }
    }
}
