//! Reads a body: whole, bounded, within the deadlines, and with room for it in the byte budget.

use super::{Deadlines, HttpError, LARGEST_BODY};
use crate::provider::{ByteBudget, BytePermit};
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

/// Room asked for at first when the server does not say how long its body is.
const FIRST_ROOM: usize = 64 << 10;

/// Reads the body of `response`. A body shorter than its `Content-Length` is an error.
pub(super) async fn read(
    asked: &str,
    mut response: Response,
    budget: &ByteBudget,
    (mut deadline, deadlines): (Instant, Deadlines),
) -> Result<(Vec<u8>, BytePermit), HttpError> {
    let length = response.content_length().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    let mut room = length.unwrap_or(FIRST_ROOM);
    bounded(asked, room)?;
    let mut permit = admit(budget, room, &mut deadline).await;
    let mut body = Vec::with_capacity(room);
    loop {
        let chunk = timeout_at(deadline, response.chunk())
            .await
            .map_err(|_| HttpError::too_slow(asked, deadlines.page))?
            .map_err(|error| HttpError::transport(asked, error))?;
        let Some(chunk) = chunk else { break };
        let needed = body.len() + chunk.len();
        bounded(asked, needed)?;
        if needed > room {
            room = needed.next_power_of_two();
            // What we hold is given back before we ask for more: two streams that each hold one part and wait for the
            // other would wait for ever. For that while the budget is overdrawn by what was read so far.
            drop(permit);
            permit = admit(budget, room, &mut deadline).await;
        }
        body.extend_from_slice(&chunk);
    }
    match length {
        Some(length) if length != body.len() => Err(HttpError::Unreachable(format!(
            "{asked}: the body ends after {} of {length} bytes",
            body.len()
        ))),
        _ => Ok((body, permit)),
    }
}

/// Waits for room; the server is not blamed for the time that takes.
async fn admit(budget: &ByteBudget, room: usize, deadline: &mut Instant) -> BytePermit {
    let asked_at = Instant::now();
    let permit = budget.admit(room).await;
    *deadline += asked_at.elapsed();
    permit
}

fn bounded(asked: &str, size: usize) -> Result<(), HttpError> {
    if size <= LARGEST_BODY {
        return Ok(());
    }
    Err(HttpError::TooLarge(format!(
        "{asked}: the answer is larger than {} MiB: ask for smaller pages (ems_event_page_size)",
        LARGEST_BODY >> 20
    )))
}
