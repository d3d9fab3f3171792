//! Words of a drawing with their places, for messages that point at them.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::str::FromStr;

use crate::test_dag::Drawing;

/// A word of a drawing; lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Its line.
    pub line: usize,
    /// The column of its first character.
    pub column: usize,
    /// The word.
    pub text: String,
}

/// A drawing that cannot be read, or a statement that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {reason}")]
pub struct Wrong {
    /// The line of the word at fault.
    pub line: usize,
    /// Its column.
    pub column: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Judges what a drawing states; the language leaves the verbs to it.
pub type Judge<'a> = dyn FnMut(&mut Drawing, &[Word]) -> Result<(), Wrong> + 'a;

impl Word {
    /// The words of a line.
    pub(super) fn of_line(line: usize, text: &str) -> Vec<Self> {
        let text = text.split('#').next().unwrap_or_default();
        let mut words: Vec<Self> = Vec::new();
        let mut is_inside = false;
        for (column, letter) in (1..).zip(text.chars()) {
            if letter.is_whitespace() {
                is_inside = false;
            } else if is_inside && let Some(word) = words.last_mut() {
                word.text.push(letter);
            } else {
                is_inside = true;
                let text = letter.to_string();
                words.push(Self { line, column, text });
            }
        }
        words
    }

    /// Another word at the same place.
    pub(super) fn here(&self, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            text,
            ..self.clone()
        }
    }

    /// What is wrong with this word.
    pub fn wrong(&self, reason: impl Into<String>) -> Wrong {
        Wrong {
            line: self.line,
            column: self.column,
            reason: reason.into(),
        }
    }

    /// The word read as a number or the like.
    ///
    /// # Errors
    /// [`Wrong`] if it is none.
    pub fn read<T: FromStr>(&self, what: &str) -> Result<T, Wrong> {
        self.text
            .parse()
            .map_err(|_| self.wrong(format!("{} where {what} was due", self.text)))
    }
}
