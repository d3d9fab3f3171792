//! What Rust sources must and must not contain.

use super::crates::{CRATES, HOMES, Purity};
use super::{Fault, Tree};

/// What the `lib.rs` of a pure crate says, without white space.
const PURE_LINES: [&str; 5] = [
    "#![cfg_attr(not(test),no_std)]",
    "clippy::arithmetic_side_effects",
    "clippy::as_conversions",
    "clippy::float_arithmetic",
    "clippy::indexing_slicing",
];

/// What no test contains: a test that waits by the clock is slow or wrong, one that is skipped is
/// none.
const NOT_IN_TESTS: [&str; 4] = ["#[ignore", "thread::sleep", "time::sleep", "sleep("];

/// Every fault of every source.
pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = check_pure(tree);
    for (path, text) in tree.iter() {
        if path.ends_with(".rs") && !is_tidy(path) {
            faults.extend(check_tests(path, text));
            faults.extend(check_homes(path, text));
        }
    }
    faults
}

/// Whether a file is this tool's own, which names what it forbids.
pub(super) fn is_tidy(path: &str) -> bool {
    path.starts_with("xtask/src/tidy")
}

fn check_pure(tree: &Tree) -> Vec<Fault> {
    let pure = CRATES.iter().filter(|one| one.purity == Purity::Pure);
    let mut faults = Vec::new();
    for one in pure {
        let path = format!("{}/src/lib.rs", one.name);
        let text = tree.text(&path).unwrap_or_default();
        let dense: String = text.split_whitespace().collect();
        for line in PURE_LINES {
            if !dense.contains(line) {
                faults.push(Fault::new(&path, 0, format!("a pure crate says {line}")));
            }
        }
    }
    faults
}

fn check_tests(path: &str, text: &str) -> Vec<Fault> {
    let mut within = path.ends_with("tests.rs") || path.contains("/tests/");
    let mut faults = Vec::new();
    for (line, code) in code(text) {
        within |= code.starts_with("mod tests {");
        let found = NOT_IN_TESTS.iter().find(|word| code.contains(*word));
        if let (true, Some(word)) = (within, found) {
            faults.push(Fault::new(path, line, format!("a test contains {word}")));
        }
    }
    faults
}

fn check_homes(path: &str, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for home in &HOMES {
        let word = home.package.replace('-', "_");
        for (place, files) in home.places {
            let inside = path.starts_with(&format!("{place}/"));
            let at_home = files.iter().any(|file| path.starts_with(file));
            if !inside || at_home {
                continue;
            }
            let named = code(text).find(|(_, code)| names(code, &word));
            if let Some((line, _)) = named {
                let rule = format!("only {} names {word}", files.join(" or "));
                faults.push(Fault::new(path, line, rule));
            }
        }
    }
    faults
}

/// The lines that are not comments, from 1.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..)
        .zip(text.lines().map(str::trim))
        .filter(|(_, line)| !line.starts_with("//"))
}

/// Whether `code` names the crate `word` as the start of a path.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = &code[..at];
        let after = &code[at + word.len()..];
        let starts = !before.ends_with(|c: char| c.is_alphanumeric() || "_:.\"".contains(c));
        let path = after.starts_with("::");
        let whole = after.is_empty() || after.starts_with([';', ' ']);
        let imported = before.ends_with("use ") || before.ends_with("extern crate ");
        starts && (path || (whole && imported))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_named_where_a_path_starts_with_it() {
        for (code, wanted) in [
            ("use quinn::Endpoint;", true),
            ("use quinn;", true),
            ("extern crate quinn;", true),
            ("let a: quinn::A = b;", true),
            ("fn f(a: &quinn::A)", true),
            ("use crate::quinn::A;", false),
            ("use primitives::codec::bincode::A;", false),
            ("let quinn = 3;", false),
            ("my_quinn::A", false),
            ("quinn_proto::A", false),
        ] {
            let word = if code.contains("bincode") {
                "bincode"
            } else {
                "quinn"
            };
            assert_eq!(names(code, word), wanted, "{code}");
        }
    }
}
