//! Test wallets as the wallet program knows them: homes within the network's folder, with keys that
//! everyone can derive.

use std::path::{Path, PathBuf};
use std::time::Duration;

use wallet::{Home, HostAddress, Options, Settings, Wallet};

use crate::error::Error;
use crate::network::Network;
use crate::purse::wallet_seed;

/// How long a wallet waits for one answer of one peer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the home of test wallet `name` stands.
#[must_use]
pub fn home(folder: &Path, name: &str) -> PathBuf {
    folder.join("wallets").join(name)
}

/// Opens test wallet `name`, and makes its home first if there is none.
///
/// # Errors
/// [`Error::LightClient`] with the wallet's words.
pub fn open(folder: &Path, network: &Network, name: &str) -> Result<Wallet, Error> {
    let home = home(folder, name);
    let files = Home::new(home.clone());
    if !files.has_key() {
        let hosts = network.hosts.iter().map(|host| HostAddress {
            address: host.address,
            key: host.key,
        });
        let settings = Settings {
            genesis: Some(network.path.clone()),
            hosts: hosts.collect(),
            ..Settings::default()
        };
        Wallet::create(&files, &wallet_seed(name), &settings)?;
    }
    Ok(Wallet::open(&Options::new(home, PATIENCE))?)
}
