//! The node's home: a folder with configuration, keys, genesis and addresses.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ledger::Genesis;
use ledger::genesis::{Parameters, Peer};
use ledger::tx::{Lock, Output};
use primitives::codec::{self, Bytes, List};
use primitives::keys::PublicKey;
use primitives::units::{Amount, Time};

use crate::config::{self, Switch};
use crate::error::Error;
use crate::keyfile::{Role, Secret, private_folder};
use crate::peers::Peers;
use crate::store::Kind;

/// The names of files in a home, as the defaults of the configuration have them.
pub mod file {
    /// The canonical bytes of the genesis.
    pub const GENESIS: &str = "genesis.bin";
    /// Where the peers listen.
    pub const PEERS: &str = "peers.toml";
    /// The secret of the peer's identity.
    pub const PEER_KEY: &str = "peer.key";
    /// The secret that signs events.
    pub const EVENT_KEY: &str = "event.key";
    /// The secret that the other peers pin.
    pub const TRANSPORT_KEY: &str = "transport.key";
    /// The secret that owns the fees.
    pub const PAYOUT_KEY: &str = "payout.key";
    /// The secret that owns a test chain's free coin.
    pub const FAUCET_KEY: &str = "faucet.key";
}

/// The four secrets of a peer.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Identity; not needed by a running node.
    pub peer: Secret,
    /// Signs events.
    pub event: Secret,
    /// Proves the node in handshakes.
    pub transport: Secret,
    /// Owns the fees; not needed by a running node.
    pub payout: Secret,
}

impl Secrets {
    /// New secrets from the operating system's randomness.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn generate() -> Result<Self, Error> {
        Ok(Self {
            peer: Secret::generate()?,
            event: Secret::generate()?,
            transport: Secret::generate()?,
            payout: Secret::generate()?,
        })
    }

    /// The peer of these secrets as a genesis lists it.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for a name above 64 bytes.
    pub fn genesis_peer(&self, name: &str) -> Result<Peer, Error> {
        let bytes = Bytes::new(name.as_bytes().to_vec()).map_err(|_| Error::InvalidValue {
            origin: "--name".to_owned(),
            key: "name".to_owned(),
            found: name.to_owned(),
            wanted: "at most 64 bytes",
        })?;
        Ok(Peer {
            name: bytes,
            peer_key: self.peer.public(),
            event_key: self.event.public(),
            transport_key: self.transport.public(),
            payout_key: self.payout.public(),
        })
    }
}

/// What a new home is made of.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The folder; made if absent.
    pub home: &'a Path,
    /// The UDP address for peers and wallets.
    pub listen: SocketAddr,
    /// The TCP address of the pages for the operator.
    pub http: SocketAddr,
    /// The backend of the store.
    pub store: Kind,
    /// The chain; none if the operator brings the file later.
    pub genesis: Option<&'a Genesis>,
    /// Where the peers listen.
    pub peers: &'a Peers,
    /// The peer's keys.
    pub secrets: &'a Secrets,
    /// Whether links to peers may be damaged on purpose.
    pub link_faults: Switch,
}

/// Makes a node's home; `primus run --home` starts from it.
///
/// # Errors
/// [`Error::HomeExists`] if the folder has a configuration already; [`Error::InvalidGenesis`];
/// [`Error::Io`].
pub fn create(plan: &Plan<'_>) -> Result<(), Error> {
    let path = plan.home.join(config::FILE);
    if path.exists() {
        return Err(Error::HomeExists { path });
    }
    private_folder(plan.home)?;
    if let Some(genesis) = plan.genesis {
        write_genesis(&plan.home.join(file::GENESIS), genesis)?;
    }
    plan.peers.write(&plan.home.join(file::PEERS))?;
    let Secrets {
        peer,
        event,
        transport,
        payout,
    } = plan.secrets;
    for (secret, role, name) in [
        (peer, Role::Peer, file::PEER_KEY),
        (event, Role::Event, file::EVENT_KEY),
        (transport, Role::Transport, file::TRANSPORT_KEY),
        (payout, Role::Coin, file::PAYOUT_KEY),
    ] {
        secret.write(&plan.home.join(name), role)?;
    }
    // Last, because its presence says that the home is whole.
    let mut text = format!(
        "listen = \"{}\"\nhttp = \"{}\"\nstore = \"{}\"\n",
        plan.listen, plan.http, plan.store
    );
    if plan.link_faults.is_on() {
        text.push_str("link_faults = \"on\"\n");
    }
    fs::write(&path, text).map_err(Error::io(path.display().to_string()))
}

/// What [`create_dev`] made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dev {
    /// The chain of one peer.
    pub genesis: Genesis,
    /// The file with the secret that owns the free coin.
    pub faucet: PathBuf,
    /// Its public half.
    pub faucet_key: PublicKey,
}

/// Coin hosted with the one peer of a developer's chain: any amount is all of the stake.
const DEV_STAKE: u64 = 1_000_000;
/// Coin that the faucet of a developer's chain owns.
const DEV_FAUCET: u64 = 1_000_000_000_000;

/// Makes the home of a chain with one peer, for developers: new keys, a faucet, nobody else.
///
/// # Errors
/// As [`create`]; [`Error::Randomness`].
pub fn create_dev(
    home: &Path,
    (listen, http): (SocketAddr, SocketAddr),
    store: Kind,
) -> Result<Dev, Error> {
    let path = home.join(config::FILE);
    if path.exists() {
        return Err(Error::HomeExists { path });
    }
    let (secrets, faucet) = (Secrets::generate()?, Secret::generate()?);
    let genesis = dev_genesis(&secrets, faucet.public())?;
    let plan = Plan {
        home,
        listen,
        http,
        store,
        genesis: Some(&genesis),
        peers: &Peers::default(),
        secrets: &secrets,
        link_faults: Switch::Off,
    };
    private_folder(home)?;
    let path = home.join(file::FAUCET_KEY);
    faucet.write(&path, Role::Coin)?;
    create(&plan)?;
    Ok(Dev {
        genesis,
        faucet: path,
        faucet_key: faucet.public(),
    })
}

/// The genesis in the file at `path`, checked.
///
/// # Errors
/// [`Error::Io`]; [`Error::InvalidGenesis`].
pub fn read_genesis(path: &Path) -> Result<Genesis, Error> {
    let bytes = fs::read(path).map_err(Error::io(path.display().to_string()))?;
    let genesis: Genesis = codec::decode(&bytes).map_err(|error| invalid(path, &error))?;
    genesis.check().map_err(|error| invalid(path, &error))?;
    Ok(genesis)
}

/// Writes the canonical bytes of `genesis`, once checked, to `path`.
///
/// # Errors
/// [`Error::InvalidGenesis`]; [`Error::Io`].
pub fn write_genesis(path: &Path, genesis: &Genesis) -> Result<(), Error> {
    genesis.check().map_err(|error| invalid(path, &error))?;
    let bytes = codec::encode(genesis).map_err(|error| invalid(path, &error))?;
    fs::write(path, bytes).map_err(Error::io(path.display().to_string()))
}

fn dev_genesis(secrets: &Secrets, faucet: PublicKey) -> Result<Genesis, Error> {
    let peer = secrets.genesis_peer("dev")?;
    let stake = Output {
        owner: peer.payout_key,
        amount: Amount::new(DEV_STAKE),
        host: Some(peer.peer_key),
        lock: Lock::None,
    };
    let free = Output::new(faucet, Amount::new(DEV_FAUCET));
    let path = Path::new(file::GENESIS);
    let bounded = |error| invalid(path, &error);
    Ok(Genesis {
        version: 1,
        parameters: Parameters {
            data_free: true,
            time: wall_time(),
            ..Parameters::default()
        },
        peers: List::new(vec![peer]).map_err(bounded)?,
        outputs: List::new(vec![stake, free]).map_err(bounded)?,
    })
}

fn wall_time() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.map_or(0, |since| since.as_millis());
    Time::new(u64::try_from(ms).unwrap_or(u64::MAX))
}

fn invalid(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::InvalidGenesis {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::config::{Overrides, load};

    fn addresses() -> (SocketAddr, SocketAddr) {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        (address(4700), address(4780))
    }

    #[test]
    fn a_developers_home_is_complete_and_made_once() {
        let folder = TempDir::new().unwrap();
        let home = folder.path().join("home");
        let dev = create_dev(&home, addresses(), Kind::Memory).unwrap();
        let config = load(&home, &Overrides::default()).unwrap();
        let genesis = read_genesis(&config.genesis).unwrap();
        assert_eq!(genesis, dev.genesis);
        let event = Secret::read(&config.event_key, Role::Event).unwrap();
        let transport = Secret::read(&config.transport_key, Role::Transport).unwrap();
        let faucet = Secret::read(&dev.faucet, Role::Coin).unwrap();
        assert_eq!(genesis.peers[0].event_key, event.public());
        assert_eq!(genesis.peers[0].transport_key, transport.public());
        assert_eq!(genesis.outputs[1].owner, faucet.public());
        assert_eq!(genesis.committee().unwrap().len(), 1);
        assert_eq!(Peers::read(&config.peers).unwrap(), Peers::default());
        let again = create_dev(&home, addresses(), Kind::Memory).unwrap_err();
        assert!(matches!(again, Error::HomeExists { .. }), "{again}");
    }

    #[test]
    fn a_genesis_with_a_changed_byte_is_another_chain_or_refused() {
        let folder = TempDir::new().unwrap();
        let home = folder.path().join("home");
        let dev = create_dev(&home, addresses(), Kind::Memory).unwrap();
        let path = home.join(file::GENESIS);
        let bytes = fs::read(&path).unwrap();
        for position in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[position] ^= 1;
            fs::write(&path, changed).unwrap();
            if let Ok(genesis) = read_genesis(&path) {
                assert_ne!(
                    genesis.chain_id(),
                    dev.genesis.chain_id(),
                    "byte {position}"
                );
            }
        }
    }
}
