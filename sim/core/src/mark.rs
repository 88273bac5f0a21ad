//! Marks: situations with a name that a search must have met sometimes, since a bug there is seen by
//! nobody who never comes there (the `sometimes` assertions of Antithesis, the coverage marks of
//! rust-analyzer).
//!
//! A mark is one `cx.reached(&marks::NAME)` where the situation is, in a branch that is seldom taken,
//! and an entry in the `marks.rs` of that folder. Marks change nothing and are not part of a run's
//! digest.

/// A situation that a search must have met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Its word, which no other mark has.
    pub name: &'static str,
    /// What has happened, in one sentence.
    pub says: &'static str,
}

/// Declares the marks of a folder, and `MARKS` with all of them:
/// `marks! { NAME = "its-word": "What has happened."; }`
#[macro_export]
macro_rules! marks {
    ($($name:ident = $word:literal: $says:literal;)+) => {
        /// All of them.
        pub(crate) const MARKS: &[&$crate::Mark] = &[$(&$name),+];
        $(
            #[doc = $says]
            pub(crate) const $name: $crate::Mark = $crate::Mark { name: $word, says: $says };
        )+
    };
}
