//! `Data`: opaque bytes on record. Free where the chain says so, else paid for by inputs.

use primitives::units::Amount;

use crate::genesis::Parameters;
use crate::outcome::Reason;
use crate::tx::{Body, transfer};

/// What data must show by itself: outputs only where inputs pay for them.
///
/// # Errors
/// [`Reason::NoInputs`].
pub fn check_alone(body: &Body) -> Result<(), Reason> {
    if body.inputs.is_empty() && !body.outputs.is_empty() {
        return Err(Reason::NoInputs);
    }
    Ok(())
}

/// Data is free on this chain, or it leaves the fee of a transfer.
///
/// # Errors
/// [`Reason::DataNotFree`] without inputs, else [`Reason::FeeTooLow`].
pub fn check_against(parameters: &Parameters, body: &Body, fee: Amount) -> Result<(), Reason> {
    if !body.inputs.is_empty() {
        return transfer::check_against(parameters, fee);
    }
    if !parameters.data_free {
        return Err(Reason::DataNotFree);
    }
    Ok(())
}
