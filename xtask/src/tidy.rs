//! The rules that the compiler does not know, each a function from the tree to its faults.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

mod crates;
mod manifests;
mod prose;
mod sources;

/// The text files of the repository by path, with `/` between folders.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

/// A broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    path: String,
    /// From 1; 0 for the whole file.
    line: usize,
    rule: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.rule),
            line => write!(f, "{}:{line}: {}", self.path, self.rule),
        }
    }
}

impl Fault {
    fn new(path: &str, line: usize, rule: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            rule: rule.into(),
        }
    }
}

impl Tree {
    /// Reads every text file below `root` but those of hidden folders, builds and packages.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        let mut folders = vec![(root.to_path_buf(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = format!("{prefix}{name}");
                let kind = entry.file_type()?;
                let skipped = ["target", "node_modules"].contains(&name.as_str());
                if name.starts_with('.') || skipped {
                    continue;
                }
                if kind.is_dir() {
                    folders.push((entry.path(), format!("{path}/")));
                } else if kind.is_file()
                    && let Ok(text) = fs::read_to_string(entry.path())
                {
                    tree.files.insert(path, text);
                }
            }
        }
        Ok(tree)
    }

    /// How many files there are.
    pub(crate) fn count(&self) -> usize {
        self.files.len()
    }

    fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

/// Every broken rule, by path and line.
pub(crate) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = manifests::check(tree);
    faults.extend(sources::check(tree));
    faults.extend(prose::check(tree));
    faults.sort();
    faults
}

#[cfg(test)]
mod tests;
