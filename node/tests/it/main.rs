//! The program from outside.

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod program;
