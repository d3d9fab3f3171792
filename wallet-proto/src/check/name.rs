//! Who holds a name as of a block, or that nobody does.

use ledger::subject::Subject;
use ledger::tx::{Holder, Kind, Name};
use merkle::LogEntry;
use primitives::units::Height;

use super::{in_part, not_after};
use crate::error::{Error, Part};
use crate::reply::{Answer, Body};
use crate::trust::{Certified, Trust, same};

/// Who holds a name as of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvenName {
    /// The certified block it is proven under.
    pub as_of: Certified,
    /// The name.
    pub name: Name,
    /// The block.
    pub height: Height,
    /// Who holds it there, and the entry of the name's log since which; none if nobody does.
    pub held: Option<(Holder, LogEntry)>,
}

/// Checks the answer to [`crate::Request::Name`]; without a height as of the certified block.
///
/// # Errors
/// As [`Trust::certify`]; [`Error::AfterSnapshot`]; [`Error::Proof`] naming what fails in the record,
/// the log or the top; [`Error::NameLog`] for a transaction that is shown and not in the log, or the
/// reverse; [`Error::Other`] and [`Error::OtherKind`] for what is not that transaction or none of that
/// name.
pub fn name(
    name: &Name,
    height: Option<Height>,
    answer: &Answer,
    trust: &Trust,
) -> Result<ProvenName, Error> {
    let Body::Name(given) = &answer.body else {
        return Err(Error::OtherKind);
    };
    let as_of = trust.certify(&answer.snapshot)?;
    let height = height.unwrap_or(as_of.height());
    not_after(height, &as_of)?;
    let (keys, at, state) = (trust.keys(), Subject::Name(*name).position(), as_of.state());
    let newest = given.span.newest(keys, &at, height, &state);
    let held = match (newest.map_err(in_part(Part::History))?, &given.body) {
        (None, None) => None,
        (Some(entry), Some(body)) => {
            same(Part::Transaction, body.id(trust.chain())?, entry.txid)?;
            let (key, number) = match &body.kind {
                Kind::Name { name: of, to, from } if of == name => {
                    (*to, Holder::next_number(from.as_ref()))
                }
                Kind::Name { .. }
                | Kind::Transfer
                | Kind::Data { .. }
                | Kind::Evidence(_)
                | Kind::Commit { .. } => return Err(Error::OtherKind),
            };
            Some((Holder { key, number }, entry))
        }
        (Some(_), None) | (None, Some(_)) => return Err(Error::NameLog { height }),
    };
    Ok(ProvenName {
        as_of,
        name: *name,
        height,
        held,
    })
}

#[cfg(test)]
mod tests;
