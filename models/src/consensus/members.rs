//! Sets of members, and what is kept for each member of a group.

use consim_core::NodeId;

/// The index of `node` among `members`, which are in node order.
pub(super) fn index_of(members: &[NodeId], node: NodeId) -> Option<usize> {
    let first = members.first()?;
    let guess = node.0.checked_sub(first.0)? as usize;
    if members.get(guess) == Some(&node) {
        // Without gaps, as is the rule.
        return Some(guess);
    }
    members.binary_search(&node).ok()
}

/// A set of members; the first 64 without an allocation.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    word: u64,
    rest: Vec<u64>,
}

impl Members {
    /// Its bits, member 0 in the lowest.
    pub(super) fn words(mut self) -> Vec<u64> {
        if !self.rest.is_empty() || self.word != 0 {
            self.rest.insert(0, self.word);
        }
        self.rest
    }
    /// The set with these bits.
    pub(super) fn of(words: &[u64]) -> Self {
        let (word, rest) = words.split_first().unwrap_or((&0, &[]));
        Self {
            word: *word,
            rest: rest.to_vec(),
        }
    }
    pub(super) fn contains(&self, member: usize) -> bool {
        let word = match member / 64 {
            0 => Some(&self.word),
            at => self.rest.get(at - 1),
        };
        word.is_some_and(|word| word & (1 << (member % 64)) != 0)
    }
    /// Adds a member; false if it was in.
    pub(super) fn insert(&mut self, member: usize) -> bool {
        let word = match member / 64 {
            0 => Some(&mut self.word),
            at => {
                if self.rest.len() < at {
                    self.rest.resize(at, 0);
                }
                self.rest.get_mut(at - 1)
            }
        };
        let bit = 1 << (member % 64);
        match word {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                true
            }
            _ => false,
        }
    }
    /// Adds those with these bits.
    pub(super) fn extend(&mut self, words: &[u64]) {
        let (word, rest) = words.split_first().unwrap_or((&0, &[]));
        self.word |= word;
        if self.rest.len() < rest.len() {
            self.rest.resize(rest.len(), 0);
        }
        for (own, word) in self.rest.iter_mut().zip(rest) {
            *own |= word;
        }
    }
    pub(super) fn len(&self) -> usize {
        let words = self.rest.iter().chain([&self.word]);
        words.map(|word| word.count_ones() as usize).sum()
    }
}

/// A value for each member. All are equal most of the time, and then they take no memory: in a
/// group of 1,000, what every replica keeps of every other counts.
#[derive(Debug)]
pub(super) struct PerMember<T> {
    members: usize,
    /// What all have that are not in `values`.
    all: T,
    values: Vec<T>,
}

impl<T: Clone> PerMember<T> {
    pub(super) fn new(members: usize, all: T) -> Self {
        Self {
            members,
            all,
            values: Vec::new(),
        }
    }
    pub(super) fn len(&self) -> usize {
        self.members
    }
    /// The value of a member; `None` if there is no such member.
    pub(super) fn get(&self, member: usize) -> Option<&T> {
        let all = (member < self.members).then_some(&self.all);
        self.values.get(member).or(all)
    }
    pub(super) fn get_mut(&mut self, member: usize) -> Option<&mut T> {
        if self.values.is_empty() && member < self.members {
            self.values.resize(self.members, self.all.clone());
        }
        self.values.get_mut(member)
    }
    /// The values of all members, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.members).filter_map(|member| self.get(member))
    }
    /// Changes those that differ from what all had at first.
    pub(super) fn changed(&mut self) -> &mut [T] {
        &mut self.values
    }
    /// From now on all have `value`.
    pub(super) fn fill(&mut self, value: T) {
        self.all = value;
        self.values.clear();
    }
}
