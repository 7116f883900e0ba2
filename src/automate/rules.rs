//! What the rules that an event meets have done: where `when` and `do` come in, off the commit path.

use super::delivery::EventContext;
use crate::vmdb::{Connection, VmdbError};

/// Fires these rules for the event, after its calls, within the transaction of its row.
///
/// # Errors
/// See [`VmdbError`]; [`VmdbError::Data`] fails these rules alone.
pub fn fire(
    _connection: &mut Connection,
    context: &EventContext<'_>,
    rules: &[String],
) -> Result<(), VmdbError> {
    log::debug!("event {} meets the rules {rules:?}", context.event.id);
    Ok(())
}
