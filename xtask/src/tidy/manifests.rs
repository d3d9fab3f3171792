//! What the `Cargo.toml` of each crate may say: the import table, packages of pure crates, packages
//! with one home.

use toml::{Table, Value};

use super::crates::{self, CRATES, Crate, HOMES, PURE_PACKAGES, Purity};
use super::{Fault, Tree};

/// Whom a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// The crate itself.
    Built,
    /// Its tests.
    Tested,
}

/// Every fault of every manifest.
pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for one in &CRATES {
        let path = format!("{}/Cargo.toml", one.name);
        match tree.text(&path) {
            Some(text) => check_manifest(one, &path, text, &mut faults),
            None => faults.push(Fault::new(&path, 0, "the crate is missing")),
        }
    }
    for (path, _) in tree.iter() {
        let folder = path.strip_suffix("/Cargo.toml");
        let top = folder.filter(|folder| !folder.contains('/') && *folder != "fuzz");
        if top.is_some_and(|folder| crates::find(folder).is_none()) {
            faults.push(Fault::new(path, 0, "the crate is not in the import table"));
        }
    }
    faults
}

fn check_manifest(one: &Crate, path: &str, text: &str, faults: &mut Vec<Fault>) {
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            faults.push(Fault::new(
                path,
                0,
                format!("not TOML: {}", error.message()),
            ));
            return;
        }
    };
    let inherits = table
        .get("lints")
        .and_then(|lints| lints.get("workspace"))
        .and_then(Value::as_bool);
    if inherits != Some(true) {
        faults.push(Fault::new(path, 0, "lacks [lints] workspace = true"));
    }
    for (wanted, name) in dependencies(&table) {
        let line = line_of(text, &name);
        if let Some(rule) = fault(one, wanted, &name) {
            faults.push(Fault::new(path, line, rule));
        }
    }
}

/// What is wrong with the dependency `name` of crate `one`.
fn fault(one: &Crate, wanted: Use, name: &str) -> Option<String> {
    if let Some(other) = crates::find(ours(name)) {
        let allowed = match wanted {
            Use::Built => one.imports.contains(&other.name),
            Use::Tested => one.may_test_with(other.name),
        };
        return (!allowed).then(|| match wanted {
            Use::Built => format!("{} must not import {}", one.name, other.name),
            Use::Tested => format!("tests of {} must not import {}", one.name, other.name),
        });
    }
    let home = HOMES.iter().find(|home| home.package == name);
    if let Some(home) = home {
        let lives = home.places.iter().any(|(place, _)| *place == one.name);
        return (!lives).then(|| format!("{name} lives elsewhere, not in {}", one.name));
    }
    let pure = one.purity == Purity::Pure && wanted == Use::Built;
    (pure && !PURE_PACKAGES.contains(&name))
        .then(|| format!("{} is pure and must not build on {name}", one.name))
}

/// The packages that a manifest depends on, by their own names, also those for certain targets.
fn dependencies(table: &Table) -> Vec<(Use, String)> {
    let mut found = Vec::new();
    let targets = table.get("target").and_then(Value::as_table);
    let tables = targets
        .into_iter()
        .flat_map(|targets| targets.values().filter_map(Value::as_table));
    for table in std::iter::once(table).chain(tables) {
        for (section, wanted) in [
            ("dependencies", Use::Built),
            ("build-dependencies", Use::Built),
            ("dev-dependencies", Use::Tested),
        ] {
            let section = table.get(section).and_then(Value::as_table);
            for (key, value) in section.into_iter().flatten() {
                let package = value.get("package").and_then(Value::as_str);
                found.push((wanted, package.unwrap_or(key).to_owned()));
            }
        }
    }
    found
}

/// The folder of one of our packages: dependencies go by either name.
fn ours(name: &str) -> &str {
    name.strip_prefix("primus-").unwrap_or(name)
}

fn line_of(text: &str, name: &str) -> usize {
    let mut lines = text.lines();
    lines
        .position(|line| line.starts_with(name) || line.contains(&format!("\"{name}\"")))
        .map_or(0, |position| position + 1)
}
