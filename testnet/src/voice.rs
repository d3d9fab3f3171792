//! What the program says: results on standard output, as words or as one JSON object a line; how it
//! goes on standard error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use serde_json::Value;

/// How the program speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voice {
    form: Form,
    color: Color,
}

/// The form of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Words for people.
    Words,
    /// One JSON object a line and nothing else.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Color {
    Plain,
    Ansi,
}

impl Voice {
    /// Speaks in `form`; in colour to a terminal, unless `NO_COLOR` is set (no-color.org).
    #[must_use]
    pub fn new(form: Form) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let color = if wanted && io::stdout().is_terminal() {
            Color::Ansi
        } else {
            Color::Plain
        };
        Self { form, color }
    }

    /// Says a result: `words`, or `facts` (an object) with the name of the event.
    pub fn say(self, event: &str, words: &str, facts: &impl Serialize) {
        let line = self.line(event, words, facts);
        // A reader that has gone away is told nothing more.
        let _ = writeln!(io::stdout().lock(), "{line}");
    }

    /// Says what comes next, where results are words.
    pub fn scene(self, title: &str) {
        match (self.form, self.color) {
            (Form::Json, _) => self.progress(title),
            (Form::Words, Color::Ansi) => {
                let _ = writeln!(io::stdout().lock(), "\x1b[1m{title}\x1b[0m");
            }
            (Form::Words, Color::Plain) => {
                let _ = writeln!(io::stdout().lock(), "{title}");
            }
        }
    }

    /// Says how it goes, on standard error.
    pub fn progress(self, words: &str) {
        let _ = writeln!(io::stderr().lock(), "  .. {words}");
    }

    fn line(self, event: &str, words: &str, facts: &impl Serialize) -> String {
        match self.form {
            Form::Words => words.to_owned(),
            Form::Json => object(event, facts).to_string(),
        }
    }
}

fn object(event: &str, facts: &impl Serialize) -> Value {
    let mut object = serde_json::Map::new();
    object.insert("event".into(), event.into());
    match serde_json::to_value(facts) {
        Ok(Value::Object(facts)) => object.extend(facts),
        Ok(Value::Null) | Err(_) => {}
        Ok(other) => {
            object.insert("value".into(), other);
        }
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_result_is_words_or_one_object_on_one_line() {
        let facts = json!({"height": 7, "note": "two\nlines"});
        let voice = |form| Voice {
            form,
            color: Color::Plain,
        };
        assert_eq!(
            voice(Form::Words).line("up", "it is up", &facts),
            "it is up"
        );
        let line = voice(Form::Json).line("up", "it is up", &facts);
        assert!(!line.contains('\n'));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            value,
            json!({"event": "up", "height": 7, "note": "two\nlines"})
        );
        assert_eq!(object("up", &()), json!({"event": "up"}));
    }
}
