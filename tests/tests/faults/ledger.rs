//! What clients have been told, and so what has to be there: for each name the one thing it must be,
//! or, where no answer came, the few things it may be.

use std::collections::BTreeMap;
use std::fmt::Debug;

/// Names, and what each may stand for; nothing is one of the possibilities.
pub(crate) struct Ledger<T>(BTreeMap<String, Vec<Option<T>>>);

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

    /// What it is, if that is known: nothing, where it was never spoken of.
    pub(crate) fn known(&self, name: &str) -> Option<Option<&T>> {
        match self.0.get(name).map(Vec::as_slice) {
            None => Some(None),
            Some([thing]) => Some(thing.as_ref()),
            Some(_) => None,
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
    pub(crate) fn settle(&mut self, whose: &str, mut there: BTreeMap<String, T>) {
        for (name, possible) in &mut self.0 {
            let found = there.remove(name);
            assert!(possible.contains(&found), "{whose}: {name} is {found:?}, and may be {possible:?}");
            *possible = vec![found];
        }
        assert!(there.is_empty(), "{whose}: nobody ever asked for {there:?}");
    }
}
