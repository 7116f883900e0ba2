//! Chains of events: those of one task that stand one after another on a page become one row that opens. Pure.

/// Events as they are shown: each part is one row, or one row with others folded under it. `chain_of` tells an event's EMS
/// and `chain_id`.
pub(in crate::http) fn folded<E>(
    events: &[E],
    chain_of: impl Fn(&E) -> Option<(i64, i64)>,
) -> impl Iterator<Item = &[E]> {
    events.chunk_by(move |event, next| {
        let chain = chain_of(event);
        chain.is_some() && chain == chain_of(next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_chain_of_one_ems_are_folded() {
        let chains = [Some((1, 7)), Some((1, 7)), Some((2, 7)), None, None, Some((1, 7)), Some((1, 8))];
        let lengths: Vec<_> = folded(&chains, |chain| *chain).map(<[_]>::len).collect();
        assert_eq!(lengths, [2, 1, 1, 1, 1, 1]);
        assert_eq!(folded(&[], |chain: &Option<(i64, i64)>| *chain).count(), 0);
    }
}
