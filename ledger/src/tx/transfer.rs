//! `Transfer`: moves coin from owners to owners.

use primitives::units::Amount;

use crate::genesis::Parameters;
use crate::outcome::Reason;
use crate::tx::Body;

/// What a transfer must show by itself: it spends something.
///
/// # Errors
/// [`Reason::NoInputs`].
pub fn check_alone(body: &Body) -> Result<(), Reason> {
    if body.inputs.is_empty() {
        return Err(Reason::NoInputs);
    }
    Ok(())
}

/// What a transfer must leave: the chain's least fee.
///
/// # Errors
/// [`Reason::FeeTooLow`].
pub fn check_against(parameters: &Parameters, fee: Amount) -> Result<(), Reason> {
    if fee < parameters.fee_min {
        return Err(Reason::FeeTooLow {
            fee,
            wanted: parameters.fee_min,
        });
    }
    Ok(())
}
