//! The last thing a peer complained of.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// How much of a log's end is read.
const TAIL_BYTES: u64 = 256 * 1024;

/// The last line of a log that tells of an error, else its last line, else a note that it is empty.
#[must_use]
pub fn last_error(path: &Path) -> String {
    match tail(path) {
        Ok(text) => select(&text).map_or_else(|| "(the log is empty)".into(), str::to_owned),
        Err(error) => format!("(no log: {error})"),
    }
}

fn tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn select(text: &str) -> Option<&str> {
    let complains = |line: &&str| {
        ["ERROR", "error:", "panicked"]
            .iter()
            .any(|mark| line.contains(mark))
    };
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let newest = text.lines().rfind(|line| !line.trim().is_empty());
    lines.rfind(complains).or(newest).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_complaint_counts_and_else_the_last_line() {
        let table = [
            ("", None),
            ("\n \n", None),
            ("INFO up\nINFO down\n\n", Some("INFO down")),
            ("ERROR one\n ERROR two \nINFO three\n", Some("ERROR two")),
            (
                "thread 'main' panicked at x\nnote: y",
                Some("thread 'main' panicked at x"),
            ),
        ];
        for (text, line) in table {
            assert_eq!(select(text), line, "{text:?}");
        }
    }

    #[test]
    fn a_log_that_is_missing_is_said_to_be() {
        assert!(last_error(Path::new("/nowhere/log")).starts_with("(no log"));
    }
}
