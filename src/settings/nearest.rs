//! The known word that was probably meant.

/// The nearest of `known` within two edits (a swap of neighbours is one), the first of several.
pub fn within_two_edits<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        if candidate.len().abs_diff(word.len()) > 8 {
            continue;
        }
        let distance = strsim::damerau_levenshtein(word, candidate);
        if distance <= 2 && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// As [`within_two_edits`], but short words must differ less: `s3` is not `ec2`.
pub fn probably_meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    within_two_edits(word, known).filter(|near| {
        let distance = strsim::damerau_levenshtein(word, near);
        distance * 4 <= word.chars().count().max(near.chars().count())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_edits_are_near_and_three_are_not() {
        assert_eq!(within_two_edits("ems_refres", ["ems", "ems_refresh"]), Some("ems_refresh"));
        assert_eq!(within_two_edits("htpt", ["http", "vmdb"]), Some("http"));
        assert_eq!(within_two_edits("vmware", ["vmdb"]), None);
    }

    #[test]
    fn short_words_must_differ_less() {
        assert_eq!(probably_meant("gce", ["ec2"]), None);
        assert_eq!(probably_meant("amazn", ["amazon"]), Some("amazon"));
    }
}
