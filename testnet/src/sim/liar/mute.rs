//! A peer that listens and says nothing.

use super::{Behaviour, Heard, Place};
use crate::error::Error;

/// See the module.
#[derive(Debug)]
pub(super) struct Mute;

impl Behaviour for Mute {
    fn hear(&mut self, _heard: &Heard, place: &mut Place<'_>) -> Result<(), Error> {
        place.lie();
        Ok(())
    }
}
