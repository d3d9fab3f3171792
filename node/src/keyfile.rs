//! Secret keys in files: a header line and 32 bytes in hexadecimal, readable by the owner alone.
//!
//! ```text
//!   primus secret key v1 event
//!   0102..20
//! ```
//!
//! The secret stands in the file as it is: whoever can read the file has the key. Encryption under
//! a pass phrase (argon2id) is not part of this version.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::str::FromStr;

use primitives::digest::{from_hex, to_hex};
use primitives::keys::{PublicKey, SecretKey, Signer};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::Zeroizing;

use crate::error::Error;

/// What a key is for; a file of one role is refused in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The peer's identity; a running node does not need it.
    Peer,
    /// Signs events, attestations and beacons.
    Event,
    /// Proves the node in handshakes.
    Transport,
    /// Owns coin: fees, or a test chain's faucet.
    Coin,
}

impl Role {
    /// The word in the header line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Event => "event",
            Self::Transport => "transport",
            Self::Coin => "coin",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Peer, Self::Event, Self::Transport, Self::Coin]
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| "one of peer, event, transport, coin".to_owned())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The seed of a secret key, wiped from memory when dropped and never shown.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 32]>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// A new secret from the operating system's randomness.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn generate() -> Result<Self, Error> {
        random().map(Self)
    }

    /// The secret of a seed, for test networks that are to be the same each time.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        SecretKey::from_seed(&self.0, ChaCha20Rng::from_seed([0; 32])).public()
    }

    /// The key ready for signing, with nonces from the operating system's randomness.
    ///
    /// # Errors
    /// [`Error::Randomness`].
    pub fn signer(&self) -> Result<SecretKey<ChaCha20Rng>, Error> {
        let randomness = ChaCha20Rng::from_seed(*random()?);
        Ok(SecretKey::from_seed(&self.0, randomness))
    }

    /// Writes a new file with mode 0600.
    ///
    /// # Errors
    /// [`Error::Io`], also when there is a file already: a key is never overwritten.
    pub fn write(&self, path: &Path, role: Role) -> Result<(), Error> {
        let hex = Zeroizing::new(to_hex(self.0.as_slice()));
        let text = Zeroizing::new(format!("{}\n{}\n", header(role), hex.as_str()));
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
            })
            .map_err(Error::io(format!("key file {}", path.display())))
    }

    /// The secret in the file at `path`.
    ///
    /// # Errors
    /// [`Error::KeyFileMode`] if anyone but the owner may read or write it;
    /// [`Error::InvalidKeyFile`] for another form or role; [`Error::Io`].
    pub fn read(path: &Path, role: Role) -> Result<Self, Error> {
        let (found, secret) = Self::read_any(path)?;
        if found != role {
            return Err(invalid(path, "the key is of another role"));
        }
        Ok(secret)
    }

    /// The role and secret in the file at `path`.
    ///
    /// # Errors
    /// As [`Secret::read`].
    pub fn read_any(path: &Path) -> Result<(Role, Self), Error> {
        let text = read_private(path)?;
        let (first, rest) = text
            .split_once('\n')
            .ok_or_else(|| invalid(path, "no header line"))?;
        let role = first
            .strip_prefix(HEADER)
            .and_then(|role| role.parse().ok())
            .ok_or_else(|| invalid(path, "the header line is not that of a secret key"))?;
        let seed = from_hex(rest.trim_end())
            .map_err(|_| invalid(path, "the second line is not 64 hexadecimal digits"))?;
        Ok((role, Self::from_seed(seed)))
    }
}

/// The longest file that is read: two lines, with room to spare.
const FILE_BYTES_MAX: u64 = 1024;
const HEADER: &str = "primus secret key v1 ";

fn header(role: Role) -> String {
    format!("{HEADER}{role}")
}

fn read_private(path: &Path) -> Result<Zeroizing<String>, Error> {
    let context = || format!("key file {}", path.display());
    let file = File::open(path).map_err(Error::io(context()))?;
    // Asked of the open file, so that it cannot be exchanged in between.
    let metadata = file.metadata().map_err(Error::io(context()))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(Error::KeyFileMode { path, mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(Error::io(context()))?;
    Ok(text)
}

fn random() -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::getrandom(bytes.as_mut_slice()).map_err(|error| Error::Randomness {
        reason: error.to_string(),
    })?;
    Ok(bytes)
}

fn invalid(path: &Path, reason: &'static str) -> Error {
    let path = path.to_owned();
    Error::InvalidKeyFile { path, reason }
}

/// Makes `folder` readable by the owner alone, and it if absent.
///
/// # Errors
/// [`Error::Io`].
pub fn private_folder(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder)
        .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(0o700)))
        .map_err(Error::io(folder.display().to_string()))
}

#[cfg(test)]
mod tests;
