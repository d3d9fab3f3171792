//! The node's settings: flag before environment before `primus.toml` before default.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::Error;
use crate::log::{Format, Levels};
use crate::prune::Keep;
use crate::store::Kind;

mod keys;

pub use keys::{KEYS, Key};

/// The file with the settings, in the node's home.
pub const FILE: &str = "primus.toml";

/// Every setting of a node.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The folder that relative paths start from.
    pub home: PathBuf,
    /// The name to show; empty for the name in the genesis.
    pub name: String,
    /// The UDP address for peers and wallets.
    pub listen: SocketAddr,
    /// The TCP address of the pages for the operator.
    pub http: SocketAddr,
    /// The backend of the store.
    pub store: Kind,
    /// The folder of the store.
    pub data: PathBuf,
    /// The canonical bytes of the genesis.
    pub genesis: PathBuf,
    /// Where the peers listen.
    pub peers: PathBuf,
    /// The secret that signs events.
    pub event_key: PathBuf,
    /// The secret that the other peers pin in the handshake.
    pub transport_key: PathBuf,
    /// Which log lines are written, as in `info,primus_net=debug`.
    pub log_level: Levels,
    /// The form of log lines.
    pub log_format: Format,
    /// Threads that decode and check signatures.
    pub workers: NonZeroUsize,
    /// How many sealed epochs keep their events and transactions.
    pub keep_epochs: Keep,
    /// Whether a snapshot of each sealed epoch is kept for peers that begin.
    pub snapshots: Switch,
    /// Whether links to peers may be damaged on purpose.
    pub link_faults: Switch,
}

/// Whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl Switch {
    /// True for [`Self::On`].
    #[must_use]
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

impl FromStr for Switch {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::On => "on",
            Self::Off => "off",
        })
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// The environment.
    Environment,
    /// The file in the home.
    File(PathBuf),
    /// The program.
    Default,
}

/// One setting as text, and where it comes from.
#[derive(Debug, Clone)]
pub struct Setting {
    /// What is set.
    pub key: &'static Key,
    /// The value as text.
    pub value: String,
    /// Where the value comes from.
    pub origin: Origin,
}

/// What the command line and the environment say, by key.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// From flags, by key name.
    pub flags: BTreeMap<&'static str, String>,
    /// From the environment, by the names of [`Key::environment`].
    pub environment: BTreeMap<String, String>,
}

impl Overrides {
    /// These flags over the environment of this process.
    #[must_use]
    pub fn with_environment(flags: BTreeMap<&'static str, String>) -> Self {
        let environment = KEYS
            .iter()
            .map(Key::environment)
            .filter_map(|name| std::env::var(&name).ok().map(|value| (name, value)))
            .collect();
        Self { flags, environment }
    }
}

/// The settings of `home` under `overrides`, each with its origin.
///
/// # Errors
/// [`Error::NoHome`] without the file; [`Error::InvalidToml`]; [`Error::UnknownKey`] naming the
/// nearest known key; [`Error::InvalidValue`] for a value that is neither text nor number.
pub fn settings(home: &Path, overrides: &Overrides) -> Result<Vec<Setting>, Error> {
    let path = home.join(FILE);
    let file = read_file(&path)?;
    let setting = |key: &'static Key| {
        let flag = overrides.flags.get(key.name);
        let environment = overrides.environment.get(&key.environment());
        let (value, origin) = match (flag, environment, file.get(key.name)) {
            (Some(value), _, _) => (value.clone(), Origin::Flag),
            (None, Some(value), _) => (value.clone(), Origin::Environment),
            (None, None, Some(value)) => (value.clone(), Origin::File(path.clone())),
            (None, None, None) => ((key.default)(), Origin::Default),
        };
        Setting { key, value, origin }
    };
    Ok(KEYS.iter().map(setting).collect())
}

/// The configuration of `home` under `overrides`.
///
/// # Errors
/// As [`settings`], and [`Error::InvalidValue`] for a value of the wrong kind.
pub fn load(home: &Path, overrides: &Overrides) -> Result<Config, Error> {
    let settings = Settings(settings(home, overrides)?);
    let path = |name| settings.text(name).map(|value| home.join(value));
    Ok(Config {
        home: home.to_owned(),
        name: settings.text("name")?,
        listen: settings.parse("listen")?,
        http: settings.parse("http")?,
        store: settings.parse("store")?,
        data: path("data")?,
        genesis: path("genesis")?,
        peers: path("peers")?,
        event_key: path("keys.event")?,
        transport_key: path("keys.transport")?,
        log_level: settings.parse("log.level")?,
        log_format: settings.parse("log.format")?,
        workers: settings.parse("workers")?,
        keep_epochs: settings.parse("keep_epochs")?,
        snapshots: settings.parse("snapshots")?,
        link_faults: settings.parse("link_faults")?,
    })
}

impl Setting {
    /// Where the value stands, in words.
    #[must_use]
    pub fn origin_text(&self) -> String {
        match &self.origin {
            Origin::Flag => self.key.flag(),
            Origin::Environment => self.key.environment(),
            Origin::File(path) => path.display().to_string(),
            Origin::Default => "default".to_owned(),
        }
    }
}

struct Settings(Vec<Setting>);

impl Settings {
    fn setting(&self, name: &'static str) -> Result<&Setting, Error> {
        let found = self.0.iter().find(|setting| setting.key.name == name);
        found.ok_or_else(|| unknown("the program", name))
    }

    fn text(&self, name: &'static str) -> Result<String, Error> {
        Ok(self.setting(name)?.value.clone())
    }

    fn parse<T: FromStr>(&self, name: &'static str) -> Result<T, Error> {
        let setting = self.setting(name)?;
        setting.value.parse().map_err(|_| Error::InvalidValue {
            origin: setting.origin_text(),
            key: name.to_owned(),
            found: setting.value.clone(),
            wanted: setting.key.wanted,
        })
    }
}

fn read_file(path: &Path) -> Result<BTreeMap<String, String>, Error> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let path = path.parent().unwrap_or(path).to_owned();
            return Err(Error::NoHome { path });
        }
        Err(error) => return Err(Error::io(path.display().to_string())(error)),
    };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        // The parser's words end with a picture of the line; one line is enough here.
        let line = text[..error.span().map_or(0, |span| span.start)]
            .lines()
            .count();
        Error::InvalidToml {
            path: path.to_owned(),
            reason: format!("line {}: {}", line.max(1), error.message()),
        }
    })?;
    let mut values = BTreeMap::new();
    for (name, value) in table {
        let Some(section) = value.as_table() else {
            insert(path, &mut values, name, &value)?;
            continue;
        };
        for (key, value) in section {
            insert(path, &mut values, format!("{name}.{key}"), value)?;
        }
    }
    Ok(values)
}

fn insert(
    path: &Path,
    values: &mut BTreeMap<String, String>,
    name: String,
    value: &toml::Value,
) -> Result<(), Error> {
    let origin = path.display().to_string();
    if !KEYS.iter().any(|key| key.name == name) {
        return Err(unknown(&origin, &name));
    }
    let text = value
        .as_str()
        .map(ToOwned::to_owned)
        .or_else(|| value.as_integer().map(|number| number.to_string()));
    let Some(text) = text else {
        return Err(Error::InvalidValue {
            origin,
            key: name,
            found: value.to_string(),
            wanted: "text or a number",
        });
    };
    values.insert(name, text);
    Ok(())
}

fn unknown(origin: &str, key: &str) -> Error {
    Error::UnknownKey {
        origin: origin.to_owned(),
        key: key.to_owned(),
        nearest: keys::nearest(key),
    }
}

#[cfg(test)]
mod tests;
