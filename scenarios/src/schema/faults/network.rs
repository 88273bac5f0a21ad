//! Options of faults of the network.

use super::lines::of_lines;
use crate::schema::decode::At;
use crate::schema::delay::Delay;
use crate::schema::lists::{Targets, Words};
use crate::schema::macros::{record, words};
use crate::schema::network::BurstKeys;
use consim_core::Span;
use consim_core::values::{BitRate, Bytes, Range, Rate, Share};

of_lines! {
    /// Options of `delay`.
    pub struct Slow {
        /// How much, one way.
        add: Delay = "100ms",
    }
}

of_lines! {
    /// Options of `loss`.
    pub struct Lossy {
        /// Share of segments; with `burst`, in the good state.
        rate: At<Share> = "5%",
        /// Losses in bursts (the Gilbert-Elliott model), in place of the line's own.
        burst: Option<BurstKeys>,
    }
}

of_lines! {
    /// Options of `duplicate`.
    pub struct Duplicate {
        /// Share of messages.
        rate: At<Share> = "5%",
    }
}

of_lines! {
    /// Options of `reorder`.
    pub struct Reorder {
        /// Share of messages that are held back so that others overtake them.
        rate: At<Share> = "5%",
    }
}

of_lines! {
    /// Options of `corrupt`.
    pub struct Corrupt {
        /// Share of messages.
        rate: At<Share> = "5%",
        /// What happens to them.
        how: At<Damage> = "flip",
    }
}

words! {
    /// What happens to a message that is corrupted.
    pub enum Damage: "kind of damage" {
        /// A bit is another.
        Flip = "flip",
        /// The end is missing.
        Truncate = "truncate",
    }
}

of_lines! {
    /// Options of `clog`.
    pub struct Clog {
        /// How what was held is let go at the end.
        release: At<Release> = "at-once",
    }
}

words! {
    /// How held messages are let go.
    pub enum Release: "kind of release" {
        /// All at once.
        AtOnce = "at-once",
        /// In the order and at ten times the pace at which they came.
        Paced = "paced",
    }
}

record! {
    /// Options of `swizzle`.
    pub struct Swizzle {
        /// Who is clogged one by one, and opened in another order.
        target: Targets,
        /// From one to the next.
        stagger: At<Range<Span>> = "0s..5s",
    }
    main "target";
}

record! {
    /// Options of `partition`.
    pub struct Partition {
        /// Who is cut off from the rest.
        target: Targets,
        /// Which messages are dropped, as seen from those who are cut off.
        direction: At<Direction> = "both",
        /// Who is cut from whom.
        shape: At<CutShape> = "cut",
    }
    main "target";
}

words! {
    /// Which messages a cut drops.
    pub enum Direction: "direction" {
        /// All that cross it.
        Both = "both",
        /// Those to the target.
        In = "in",
        /// Those from the target.
        Out = "out",
    }
}

words! {
    /// Who is cut from whom.
    pub enum CutShape: "shape of a partition" {
        /// The target from the rest.
        Cut = "cut",
        /// Each of the target from everybody.
        IsolateEach = "isolate-each",
        /// The first half of the target from the second.
        Halves = "halves",
        /// Each of the target sees its neighbours on a ring: a majority, for no two the same.
        Ring = "ring",
        /// Halves, with one in the middle that sees both.
        Bridge = "bridge",
        /// Two sides, drawn.
        Random = "random",
    }
}

record! {
    /// Options of `flap`.
    pub struct Flap {
        /// Whose lines go down and up.
        target: Targets,
        /// How long they are up.
        up: At<Range<Span>> = "1s..2s",
        /// How long they are down.
        down: At<Range<Span>> = "0s..200ms",
    }
    main "target";
}

of_lines! {
    /// Options of `filter`.
    pub struct Filter {
        /// Kinds of messages, as the protocol and the node call them; all, if left out.
        kinds: Option<Words>,
        /// What happens to them.
        r#do: At<Filtered> = "drop",
        /// Share of them.
        share: At<Share> = "100%",
        /// In place of a share: the first, second... of them, by their numbers from 1.
        drop: Option<Words>,
    }
}

words! {
    /// What happens to filtered messages.
    pub enum Filtered: "action" {
        /// They never come.
        Drop = "drop",
        /// They come at the end.
        Hold = "hold",
    }
}

of_lines! {
    /// Options of `throttle`.
    pub struct Throttle {
        /// What each line carries.
        rate: At<BitRate> = "1Mbit/s",
        /// What may wait for it; the rest is dropped.
        queue: Option<At<Bytes>>,
    }
}

record! {
    /// Options of `eclipse`.
    pub struct Eclipse {
        /// Who.
        target: Targets,
        /// The only ones that it can still talk to.
        peers: Targets = "none",
        /// Share of its connections to all others that is gone.
        slots: At<Share> = "100%",
    }
    main "target";
}

record! {
    /// Options of `hijack`.
    pub struct Hijack {
        /// Whose addresses, for example `region guangzhou`.
        target: Targets,
        /// What becomes of what is sent there.
        how: At<Astray> = "blackhole",
        /// How much longer it takes, if it is intercepted.
        extra: At<Span> = "100ms",
        /// Routes are right again so long after the start, if not before.
        noticed_after: At<Span> = "20m",
    }
    main "target";
}

words! {
    /// What becomes of messages whose way was hijacked.
    pub enum Astray: "kind of hijack" {
        /// They are lost.
        Blackhole = "blackhole",
        /// They are passed on.
        Intercept = "intercept",
    }
}

record! {
    /// Options of `flood`.
    pub struct Flood {
        /// Who is flooded.
        target: Targets,
        /// With what.
        what: At<Flooded> = "junk",
        /// Messages, of all senders together.
        rate: At<Rate> = "1000/s",
        /// Bytes of each: 1 kB of junk, 1 MB if oversized, 512 B of a transaction.
        size: Option<At<Bytes>>,
        /// Whose machines send it: those of their users, or their nodes if it is view changes.
        from: Targets = "all",
    }
    main "target";
}

words! {
    /// With what nodes are flooded.
    pub enum Flooded: "kind of flood" {
        /// Requests of clients that the chain orders and refuses.
        Transactions = "transactions",
        /// Signed votes for ever higher views.
        ViewChanges = "view-changes",
        /// Very long messages that make no sense.
        Oversized = "oversized",
        /// Bytes that are no message.
        Junk = "junk",
    }
}

record! {
    /// Options of `unstable-network`.
    pub struct UnstableNetwork {
        /// Until the end, messages take up to so much longer.
        max: At<Span> = "5s",
        /// What was sent before the end has arrived so long after it.
        delta: At<Span> = "1s",
    }
    main "max";
}
