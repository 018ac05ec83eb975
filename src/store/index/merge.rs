//! Several sorted lists of entries as one: by key, and of one key the newest.

use super::{Entry, IndexError};

/// Gives the next entry of a list, in ascending order of keys.
pub(super) type Source<'a> = Box<dyn FnMut() -> Result<Option<Entry>, IndexError> + 'a>;

/// The merged list.
pub(super) struct Merge<'a> {
    /// The lists, oldest first, each with its next entry.
    lists: Vec<(Entry, Source<'a>)>,
}

impl<'a> Merge<'a> {
    /// Merges lists, oldest first.
    pub(super) fn new(sources: impl IntoIterator<Item = Source<'a>>) -> Result<Self, IndexError> {
        let mut lists = Vec::new();
        for mut source in sources {
            if let Some(first) = source()? {
                lists.push((first, source));
            }
        }
        Ok(Self { lists })
    }

    /// The entry with the lowest key that is left; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, IndexError> {
        let Some(key) = self.lists.iter().map(|((key, _), _)| *key).min() else {
            return Ok(None);
        };
        let mut newest = None;
        let mut at = 0;
        while let Some(((first, known), source)) = self.lists.get_mut(at) {
            if *first != key {
                at += 1;
                continue;
            }
            newest = Some((key, *known));
            match source()? {
                Some(next) => {
                    (*first, *known) = next;
                    at += 1;
                }
                None => drop(self.lists.remove(at)),
            }
        }
        Ok(newest)
    }
}
