//! The crates, who may import whom, and which packages have one home each.

/// Whether a crate does IO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purity {
    /// No clock, no thread, no socket, no disk: `no_std` outside of tests.
    Pure,
    /// At the rim.
    Io,
}

/// A crate of the workspace.
#[derive(Debug)]
pub(super) struct Crate {
    /// Its folder.
    pub(super) name: &'static str,
    /// Whether it does IO.
    pub(super) purity: Purity,
    /// Which of ours it may import.
    pub(super) imports: &'static [&'static str],
}

const PURE: [&str; 7] = [
    "primitives",
    "merkle",
    "dag",
    "consensus",
    "ledger",
    "wallet-proto",
    "replica",
];

/// Every crate (docs/ARCHITECTURE.md).
pub(super) const CRATES: [Crate; 13] = [
    pure("primitives", &[]),
    pure("merkle", &["primitives"]),
    pure("dag", &["primitives"]),
    pure("consensus", &["dag", "primitives"]),
    pure("ledger", &["merkle", "primitives"]),
    pure("wallet-proto", &["ledger", "merkle", "primitives"]),
    pure(
        "replica",
        &[
            "consensus",
            "ledger",
            "wallet-proto",
            "dag",
            "merkle",
            "primitives",
        ],
    ),
    io("net", &["primitives"]),
    io(
        "node",
        &[
            "replica",
            "net",
            "consensus",
            "ledger",
            "wallet-proto",
            "dag",
            "merkle",
            "primitives",
        ],
    ),
    io(
        "wallet",
        &["wallet-proto", "ledger", "merkle", "primitives", "net"],
    ),
    io("testnet", ALL),
    io("benches", ALL),
    io("xtask", &[]),
];

const ALL: &[&str] = &[
    "node",
    "wallet",
    "replica",
    "net",
    "consensus",
    "ledger",
    "wallet-proto",
    "dag",
    "merkle",
    "primitives",
    "testnet",
];

/// Packages from outside that pure crates may build on.
pub(super) const PURE_PACKAGES: [&str; 11] = [
    "bincode",
    "blake3",
    "curve25519-dalek",
    "merlin",
    "rand_chacha",
    "rand_core",
    "rs_merkle",
    "schnorrkel",
    "sha2",
    "thiserror",
    "zeroize",
];

/// A package that only certain crates may depend on, and within them only certain files may name.
#[derive(Debug)]
pub(super) struct Home {
    /// The package.
    pub(super) package: &'static str,
    /// Where it lives: a crate's folder, then how the paths of the files begin.
    pub(super) places: &'static [(&'static str, &'static [&'static str])],
}

/// Packages with a home.
pub(super) const HOMES: [Home; 10] = [
    home("blake3", &[("primitives", &["primitives/"])]),
    home(
        "curve25519-dalek",
        &[("primitives", &["primitives/src/keys"])],
    ),
    home("bincode", &[("primitives", &["primitives/"])]),
    home(
        "schnorrkel",
        &[
            ("primitives", &["primitives/src/keys"]),
            ("wallet-proto", &["wallet-proto/src/musig"]),
        ],
    ),
    home("quinn", &[("net", &["net/"])]),
    home("quinn-proto", &[("net", &["net/"])]),
    home(
        "rocksdb",
        &[("node", &["node/src/store", "node/src/error.rs"])],
    ),
    home(
        "redb",
        &[("node", &["node/src/store", "node/src/error.rs"])],
    ),
    home(
        "prometheus",
        &[("node", &["node/src/metrics", "node/src/error.rs"])],
    ),
    home("rs_merkle", &[("merkle", &["merkle/"])]),
];

impl Crate {
    /// Whether tests of this crate may import `other`: pure crates are tools for every test, and an
    /// IO crate may try itself against others, but nothing imports the testnet or the benches.
    pub(super) fn may_test_with(&self, other: &str) -> bool {
        self.imports.contains(&other)
            || other == self.name
            || PURE.contains(&other)
            || (self.purity == Purity::Io && ["net", "node", "wallet"].contains(&other))
    }
}

/// The crate of this folder.
pub(super) fn find(name: &str) -> Option<&'static Crate> {
    CRATES.iter().find(|one| one.name == name)
}

const fn pure(name: &'static str, imports: &'static [&'static str]) -> Crate {
    Crate {
        name,
        purity: Purity::Pure,
        imports,
    }
}

const fn io(name: &'static str, imports: &'static [&'static str]) -> Crate {
    Crate {
        name,
        purity: Purity::Io,
        imports,
    }
}

const fn home(
    package: &'static str,
    places: &'static [(&'static str, &'static [&'static str])],
) -> Home {
    Home { package, places }
}
