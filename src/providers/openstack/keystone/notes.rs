//! What a session remembers between refreshes: what was said, and what was asked for lately.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// So long a thing that only others refer to is not asked for again. Were it never again, a refresh that could not be saved
/// would leave a reference empty for ever.
const LATELY: Duration = Duration::from_secs(600);

/// See the module. No lock is held across a wait.
#[derive(Debug, Default)]
pub(in super::super) struct Notes {
    said: Mutex<HashMap<&'static str, String>>,
    asked: Mutex<HashMap<(&'static str, String), Instant>>,
}

impl Notes {
    /// Whether `message` about `topic` is new; until [`Notes::is_well`] it is then not.
    pub(in super::super) fn is_news(&self, topic: &'static str, message: &str) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let before = said.insert(topic, message.to_owned());
        before.as_deref() != Some(message)
    }

    /// There is nothing to say of `topic` any more.
    pub(in super::super) fn is_well(&self, topic: &'static str) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).remove(topic);
    }

    /// Remembers that these were asked for.
    pub(in super::super) fn asked<'a>(
        &self,
        association: &'static str,
        ems_refs: impl IntoIterator<Item = &'a str>,
    ) {
        let now = Instant::now();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, at| now < *at + LATELY);
        asked.extend(ems_refs.into_iter().map(|ems_ref| ((association, ems_ref.to_owned()), now)));
    }

    /// Whether it was asked for lately.
    pub(in super::super) fn was_asked(&self, association: &'static str, ems_ref: &str) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(&(association, ems_ref.to_owned())).is_some_and(|at| Instant::now() < *at + LATELY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_wrong_is_said_once_and_again_after_it_was_well() {
        let notes = Notes::default();
        assert!(notes.is_news("vms", "no rights"));
        assert!(!notes.is_news("vms", "no rights"));
        assert!(notes.is_news("hosts", "no rights"));
        assert!(notes.is_news("vms", "no service"));
        notes.is_well("vms");
        assert!(notes.is_news("vms", "no service"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_asked_for_is_known_for_a_while() {
        let notes = Notes::default();
        notes.asked("flavors", ["small"]);
        assert!(notes.was_asked("flavors", "small"));
        assert!(!notes.was_asked("flavors", "large") && !notes.was_asked("hosts", "small"));
        tokio::time::advance(LATELY).await;
        assert!(!notes.was_asked("flavors", "small"));
    }
}
