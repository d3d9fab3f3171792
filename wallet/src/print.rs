//! Standard output: plain lines for people, or one JSON object a line for programs, never both.

use std::io::Write;

use serde_json::Value;

/// Where results go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    json: bool,
}

impl Printer {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a result: `lines` for people, `object` for programs.
    pub(crate) fn result(self, lines: &[String], object: &Value) {
        if self.json {
            self.object(object);
        } else {
            write_lines(std::io::stdout().lock(), lines);
        }
    }

    /// Prints what a program alone wants to know.
    pub(crate) fn object(self, object: &Value) {
        if self.json {
            write_lines(std::io::stdout().lock(), &[object.to_string()]);
        }
    }

    /// Tells people what goes on; with JSON on standard error, so that the output stays pure.
    pub(crate) fn progress(self, line: String) {
        if self.json {
            write_lines(std::io::stderr().lock(), &[line]);
        } else {
            write_lines(std::io::stdout().lock(), &[line]);
        }
    }
}

fn write_lines(mut out: impl Write, lines: &[String]) {
    for line in lines {
        // A reader that has gone away wants no more lines.
        let _ = writeln!(out, "{line}");
    }
    let _ = out.flush();
}
