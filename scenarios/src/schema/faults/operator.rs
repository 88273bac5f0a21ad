//! Options of mistakes of operators.

use crate::schema::decode::At;
use crate::schema::lists::Targets;
use crate::schema::macros::{choice, record};
use crate::schema::organisations::Plain;
use consim_core::Span;
use consim_core::values::{Bare, Count, Name, Offset, Value, ValueError};

record! {
    /// Options of `wrong-quorum`.
    pub struct WrongQuorum {
        /// Who.
        target: Targets,
        /// How many votes more it takes for a quorum.
        by: At<Signed> = "-1",
    }
    main "target";
}

/// A whole number with a sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Signed(pub(crate) i32);

/// The largest number of votes that a quorum may be off by.
const MOST: i32 = 100_000;

impl Value for Signed {
    const FORM: &'static str = "a whole number with a sign";
    const EXAMPLES: &'static str = "-1";
    const BARE: Bare = Bare::Number;
    fn pattern() -> String {
        "-?[1-9][0-9]{0,5}".to_owned()
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        let number = text.parse().ok().filter(|n: &i32| plain && n.abs() <= MOST);
        number
            .map(Self)
            .ok_or_else(|| ValueError::form::<Self>(text))
    }
    fn text(&self) -> String {
        self.0.to_string()
    }
}

record! {
    /// Options of `duplicate-key`.
    pub struct DuplicateKey {
        /// Who runs with the identity of another.
        target: Targets,
        /// Whose.
        with: Targets,
    }
}

record! {
    /// Options of `cut-change`.
    pub struct CutChange {
        /// Who is cut off from the rest.
        target: Targets,
        /// The change that is asked for meanwhile.
        change: At<Name>,
    }
    main "target";
}

record! {
    /// Options of `double-change`.
    pub struct DoubleChange {
        /// The change that is asked for first.
        change: At<Name>,
        /// The one that does not wait for it, as if somebody else had asked.
        second: At<Name>,
    }
}

record! {
    /// Options of `wrong-genesis`.
    pub struct WrongGenesis {
        /// Who takes itself for a node of another chain.
        target: Targets,
    }
    main "target";
}

record! {
    /// Options of `short-timeouts`.
    pub struct ShortTimeouts {
        /// Who.
        target: Targets,
        /// Its first timer.
        to: At<Span> = "1ms",
    }
    main "target";
}

record! {
    /// Options of `wrong-zone`.
    pub struct WrongZone {
        /// Whose wall clock is set to another zone.
        target: Targets,
        /// How far it is ahead.
        by: At<Offset> = "8h",
    }
    main "target";
}

record! {
    /// Options of `expired-certificate`.
    pub struct ExpiredCertificate {
        /// Whose certificate is no good from the start on; at the end there is a good one.
        target: Targets,
        /// Why it is not good any more.
        how: Invalid = "expired",
    }
    main "target";
}

choice! {
    /// Why a certificate is not good any more.
    pub enum Invalid: "reason" {
        /// Its time is over.
        Expired(Plain) = "expired",
        /// Its authority took it back.
        Revoked(Plain) = "revoked",
        /// It is of a new authority, which the others come to know only at the end.
        NewAuthority(Plain) = "new-authority",
    }
}

record! {
    /// Options of `early-prune`.
    pub struct EarlyPrune {
        /// Who throws blocks away, for as long as it lasts.
        target: Targets,
        /// How many of the latest blocks they keep for others.
        keep: At<Count> = "16",
    }
    main "target";
}

record! {
    /// Options of `old-backup`.
    pub struct OldBackup {
        /// On whose disks it is put, at the start.
        target: Targets,
        /// How old it is.
        age: At<Span> = "1d",
    }
    main "target";
}

record! {
    /// Options of `wipe`.
    pub struct Wipe {
        /// Whose data is deleted, at the start.
        target: Targets,
    }
    main "target";
}
