//! `peers.toml`: where the peers listen, by peer key or transport key.
//!
//! ```toml
//! "0a1b.." = "peer-3.example:4700"
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;

use ledger::Genesis;
use net::PeerAddress;
use primitives::keys::PublicKey;

use crate::error::Error;

/// Addresses as host and port, by peer key or transport key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peers(pub BTreeMap<PublicKey, String>);

impl Peers {
    /// The file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::InvalidToml`]; [`Error::InvalidValue`] for what is no key or address.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(Error::io(path.display().to_string()))?;
        let table: toml::Table =
            text.parse()
                .map_err(|error: toml::de::Error| Error::InvalidToml {
                    path: path.to_owned(),
                    reason: error.message().to_owned(),
                })?;
        let mut peers = BTreeMap::new();
        for (key, address) in table {
            let public = key.parse().map_err(|_| {
                let wanted = "a public key of 64 hexadecimal digits";
                invalid(path, &key, key.clone(), wanted)
            })?;
            let text = address.as_str().ok_or_else(|| {
                let wanted = "a host and port as text";
                invalid(path, &key, address.to_string(), wanted)
            })?;
            peers.insert(public, text.to_owned());
        }
        Ok(Self(peers))
    }

    /// Writes the file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let mut text = String::from("# Where the peers listen, by peer key or transport key.\n");
        for (key, address) in &self.0 {
            let address = toml::Value::String(address.clone());
            text.push_str(&format!("\"{key}\" = {address}\n"));
        }
        fs::write(path, text).map_err(Error::io(path.display().to_string()))
    }

    /// The transport keys and addresses of the peers of `genesis`. A name that does not resolve is
    /// left out with a warning: the peer may come up later than its name.
    ///
    /// # Errors
    /// [`Error::InvalidValue`] for a key of no peer in the genesis.
    pub fn resolve(&self, path: &Path, genesis: &Genesis) -> Result<Vec<PeerAddress>, Error> {
        let mut addresses = Vec::new();
        for (key, text) in &self.0 {
            let peer = genesis
                .peers
                .iter()
                .find(|peer| peer.peer_key == *key || peer.transport_key == *key)
                .ok_or_else(|| {
                    let wanted = "the peer key or transport key of a peer in the genesis";
                    invalid(path, "peer", key.to_string(), wanted)
                })?;
            let Some(address) = first_address(text) else {
                tracing::warn!(peer = %key, address = %text, "the address does not resolve");
                continue;
            };
            addresses.push(PeerAddress {
                key: peer.transport_key,
                address,
            });
        }
        Ok(addresses)
    }
}

fn first_address(text: &str) -> Option<SocketAddr> {
    text.to_socket_addrs().ok()?.next()
}

fn invalid(path: &Path, key: &str, found: String, wanted: &'static str) -> Error {
    Error::InvalidValue {
        origin: path.display().to_string(),
        key: key.to_owned(),
        found,
        wanted,
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("peers.toml");
        let peers = Peers(
            [
                (PublicKey([1; 32]), "127.0.0.1:4700"),
                (PublicKey([2; 32]), "b.example:1"),
            ]
            .map(|(key, address)| (key, address.to_owned()))
            .into(),
        );
        peers.write(&path).unwrap();
        assert_eq!(Peers::read(&path).unwrap(), peers);
    }

    #[test]
    fn what_is_no_key_or_no_address_is_named() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("peers.toml");
        let key = PublicKey([1; 32]);
        for (text, wanted) in [
            ("abc = \"127.0.0.1:1\"".to_owned(), "64 hexadecimal digits"),
            (format!("{key} = 4700"), "a host and port as text"),
        ] {
            fs::write(&path, text).unwrap();
            let error = Peers::read(&path).unwrap_err();
            assert!(error.to_string().contains(wanted), "{error}");
        }
    }
}
