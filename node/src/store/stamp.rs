//! What a store folder is of, in a small text file: form, backend, chain, event key.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use primitives::Digest;
use primitives::keys::PublicKey;

use super::Kind;
use crate::error::Error;

/// The form of the folder; raised whenever the meaning of a table changes.
const FORM: &str = "1";

/// Whose store a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The chain.
    pub chain: Digest,
    /// The public key that signs this node's events.
    pub event_key: PublicKey,
}

impl Stamp {
    /// The backend and stamp that `folder` names.
    ///
    /// # Errors
    /// [`Error::Io`] without a stamp; [`Error::OtherStore`] for another form.
    pub fn read(folder: &Path) -> Result<(Kind, Self), Error> {
        let path = path(folder);
        let text = fs::read_to_string(&path).map_err(Error::io(path.display().to_string()))?;
        let fields = Fields { path, text };
        fields.require("form", FORM)?;
        let kind = fields.parse("backend", "rocksdb or redb")?;
        let chain = fields.parse("chain", "64 hexadecimal digits")?;
        let event_key = fields.parse("event_key", "64 hexadecimal digits")?;
        Ok((kind, Self { chain, event_key }))
    }

    /// Makes sure that `folder` is of this node, or makes it so if it is new.
    pub(super) fn check_or_write(&self, kind: Kind, folder: &Path) -> Result<(), Error> {
        let path = path(folder);
        if !path.exists() {
            return self.write(kind, &path);
        }
        let text = fs::read_to_string(&path).map_err(Error::io(path.display().to_string()))?;
        let fields = Fields { path, text };
        for (field, wanted) in self.fields(kind) {
            fields.require(field, &wanted)?;
        }
        Ok(())
    }

    fn fields(&self, kind: Kind) -> [(&'static str, String); 4] {
        [
            ("form", FORM.to_owned()),
            ("backend", kind.to_string()),
            ("chain", self.chain.to_string()),
            ("event_key", self.event_key.to_string()),
        ]
    }

    fn write(&self, kind: Kind, path: &Path) -> Result<(), Error> {
        let mut text = String::new();
        for (field, value) in self.fields(kind) {
            text.push_str(&format!("{field} {value}\n"));
        }
        // Whole or absent: a crash must not leave half a stamp.
        let part = path.with_extension("part");
        let written = File::create(&part)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())
                    .and_then(|()| file.sync_all())
            })
            .and_then(|()| fs::rename(&part, path));
        written.map_err(Error::io(path.display().to_string()))
    }
}

struct Fields {
    path: PathBuf,
    text: String,
}

impl Fields {
    fn value(&self, field: &str) -> &str {
        self.text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .find(|(name, _)| *name == field)
            .map_or("absent", |(_, value)| value)
    }

    fn require(&self, field: &'static str, wanted: &str) -> Result<(), Error> {
        let found = self.value(field);
        if found == wanted {
            return Ok(());
        }
        Err(self.other(field, wanted))
    }

    fn parse<T: std::str::FromStr>(&self, field: &'static str, wanted: &str) -> Result<T, Error> {
        let found = self.value(field);
        found.parse().map_err(|_| self.other(field, wanted))
    }

    fn other(&self, field: &'static str, wanted: &str) -> Error {
        Error::OtherStore {
            path: self.path.clone(),
            field,
            found: self.value(field).to_owned(),
            wanted: wanted.to_owned(),
        }
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("stamp")
}
