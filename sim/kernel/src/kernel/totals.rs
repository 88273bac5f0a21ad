//! Counts of a run.

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Handler calls.
    pub events: u64,
    /// Messages that reached a process.
    pub messages: u64,
    /// Bytes sent, every copy.
    pub bytes: u64,
    /// What the lines did to messages.
    pub lines: LineTotals,
    /// True if the limit of pending events ended the run early.
    pub partial: bool,
}

/// What lines did to messages, all of them together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LineTotals {
    /// Messages that never arrive.
    pub lost: u64,
    /// Messages sent again by a stream.
    pub retransmissions: u64,
    /// Transmissions that a full queue dropped.
    pub overflowed: u64,
    /// Messages that came twice (on a stream: of which the transport dropped one).
    pub duplicated: u64,
    /// Messages that were held back.
    pub reordered: u64,
    /// Messages of which a bit was flipped.
    pub corrupted: u64,
    /// Corrupted messages that their receiver refused.
    pub refused: u64,
    /// Waits for an acknowledgement that began (Nagle's algorithm).
    pub held: u64,
}
