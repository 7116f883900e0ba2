//! A memory of bounded size that forgets what was not asked for lately.
//!
//! Two generations: what is asked for moves into the young one; when that is full it becomes the old one, and the old one is
//! forgotten. So the last `capacity` entries that were touched are always there, and never more than twice as many.

use std::collections::HashMap;
use std::hash::Hash;

/// See the module.
#[derive(Debug)]
pub struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    capacity: usize,
}

impl<K: Eq + Hash + Copy, V> Generations<K, V> {
    /// One that remembers so many at least.
    pub fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), capacity: capacity.max(1) }
    }

    /// The value of `key`, made by `make` when there is none.
    pub fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let moved = self.old.remove(&key);
        if !self.young.contains_key(&key) && self.young.len() >= self.capacity {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.entry(key).or_insert_with(|| moved.unwrap_or_else(make))
    }

    /// The value of `key`, if it is remembered.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// All that is remembered.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.young.values_mut().chain(self.old.values_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_touched_stays_and_the_rest_is_bounded() {
        let mut memory = Generations::new(10);
        *memory.entry(-1, || 0) += 1;
        for number in 0..1000 {
            memory.entry(number, || number);
            *memory.entry(-1, || 0) += 1;
            assert!(memory.young.len() + memory.old.len() <= 20);
        }
        assert_eq!(memory.get(&-1), Some(&1001));
        assert_eq!((memory.get(&999), memory.get(&0)), (Some(&999), None));
        assert!(memory.values_mut().count() <= 20);
    }
}
