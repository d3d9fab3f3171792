//! What prose must and must not say.

use super::crates::CRATES;
use super::sources::is_tidy;
use super::{Fault, Tree};

/// Prose that leads a newcomer through the crates, and so mentions each.
const GUIDES: [&str; 2] = ["README.md", "docs/ARCHITECTURE.md"];

/// What no file says, in lower case: places that only some machine has, and how the text was made.
const NOWHERE: [&str; 11] = [
    "/work/",
    "shared/design",
    "`shared/",
    "(shared/",
    "/tmp/brief",
    "worktree",
    "anthropic",
    "claude",
    "chatgpt",
    "co-authored-by",
    "language model",
];

/// What no source says: unfinished work is in nobody's way only while it is not there.
const NOT_IN_SOURCES: [&str; 2] = ["TODO", "FIXME"];

/// Every fault of every text.
pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = check_guides(tree);
    for (path, text) in tree.iter().filter(|(path, _)| !is_tidy(path)) {
        for (line, words) in (1..).zip(text.lines()) {
            let lower = words.to_lowercase();
            let found = NOWHERE.iter().find(|word| lower.contains(*word));
            let source = path.ends_with(".rs");
            let unfinished = NOT_IN_SOURCES.iter().find(|word| words.contains(*word));
            let found = found.or(unfinished.filter(|_| source));
            if let Some(word) = found {
                faults.push(Fault::new(path, line, format!("says {word:?}")));
            }
        }
    }
    faults
}

fn check_guides(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for path in GUIDES {
        let Some(text) = tree.text(path) else {
            faults.push(Fault::new(path, 0, "is missing"));
            continue;
        };
        for one in &CRATES {
            let mentioned = [format!("`{}`", one.name), format!("[{}]", one.name)]
                .iter()
                .any(|mark| text.contains(mark));
            if !mentioned {
                let rule = format!("does not mention `{}`", one.name);
                faults.push(Fault::new(path, 0, rule));
            }
        }
    }
    faults
}
