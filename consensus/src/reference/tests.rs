use super::generate::{Options, Pace, closed_subset, graph, shuffled};
use super::*;

mod drawing;
mod rules;
mod runs;
mod valid;
