//! The program from outside.

#[cfg(test)]
mod program;
