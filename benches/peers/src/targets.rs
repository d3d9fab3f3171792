//! The targets of docs/benchmarks.md beside what was measured.
use anyhow::Result;
use crate::figures::Figures;
pub fn print(_: &[Figures]) -> Result<()> { Ok(()) }
