//! What clients have been told, and so what has to be there: for each name the one thing it must be,
//! or, where no answer came, the few things it may be.

use std::collections::BTreeMap;
use std::fmt::Debug;

/// Names, and what each may stand for; nothing is one of the possibilities.
pub(crate) struct Ledger<T>(BTreeMap<String, Vec<Option<T>>>);

/// What a name stands for.
pub(crate) enum Entry<T> {
    Nothing,
    Thing(T),
    Unsure,
}

impl<T> Default for Ledger<T> {
    fn default() -> Ledger<T> {
        Ledger(BTreeMap::new())
    }
}

impl<T: Clone + PartialEq + Debug> Ledger<T> {
    /// It was acknowledged.
    pub(crate) fn is(&mut self, name: &str, thing: Option<T>) {
        self.0.insert(name.to_owned(), vec![thing]);
    }

    /// It was asked for, and nobody knows whether it was done.
    pub(crate) fn may_be(&mut self, name: &str, thing: Option<T>) {
        self.0.entry(name.to_owned()).or_insert_with(|| vec![None]).push(thing);
    }

    /// What it is, if that is known.
    pub(crate) fn look_up(&self, name: &str) -> Entry<T> {
        match self.0.get(name).map(Vec::as_slice) {
            None | Some([None]) => Entry::Nothing,
            Some([Some(thing)]) => Entry::Thing(thing.clone()),
            Some(_) => Entry::Unsure,
        }
    }

    /// Everything that is surely there.
    pub(crate) fn certain(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().filter_map(|(name, things)| match things.as_slice() {
            [Some(thing)] => Some((name.as_str(), thing)),
            _ => None,
        })
    }

    /// Holds what is there to what was said; from then on it is known.
    pub(crate) fn settle(&mut self, mut there: BTreeMap<String, T>) {
        for (name, possible) in &mut self.0 {
            let found = there.remove(name);
            assert!(possible.contains(&found), "{name} is {found:?}, and may be {possible:?}");
            *possible = vec![found];
        }
        assert!(there.is_empty(), "nobody ever asked for {there:?}");
    }
}
