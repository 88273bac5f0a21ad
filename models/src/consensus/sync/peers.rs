//! Who is ahead, who was asked, and how often each was helped.

use crate::consensus::members::{Members, PerMember};
use consim_core::{Span, Time};

/// Answers with bodies that a member gets between two ticks (assumed).
pub(in crate::consensus) const MAX_SERVED: u16 = 64;
/// Times that a member is helped between two ticks (assumed): as often as it asks.
const MAX_HELP: u16 = 4;
/// Without news a replica compares notes with one peer every so many ticks (assumed).
const IDLE_TICKS: u32 = 4;

/// What is known of the others' progress, and the question under way.
#[derive(Debug)]
pub(in crate::consensus) struct Peers {
    /// How far each member says that it is. It may lie: what it sends is verified, and a claim that it
    /// does not make good is void.
    claims: PerMember<u64>,
    fetch: Option<Fetch>,
    /// Whom to ask next.
    turn: usize,
    /// How often each member was helped since the last tick, and how many bodies it got.
    helped: PerMember<u16>,
    served: PerMember<u16>,
    /// After a restart: who has answered so far; `None` if enough have.
    answered: Option<Members>,
    /// When a member last said how far it is.
    heard: Time,
    ticks: u32,
    /// How far this replica was at the last tick.
    last: u64,
}

#[derive(Debug)]
struct Fetch {
    peer: usize,
    /// Has a tick passed since?
    old: bool,
}

/// What a tick finds: each may be so, or not.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four findings, not a state")]
pub(in crate::consensus) struct Tick {
    /// Nothing was executed since the last.
    pub(in crate::consensus) quiet: bool,
    /// Nothing was for long: it is time to compare notes.
    pub(in crate::consensus) idle: bool,
    /// Who was asked has not answered; somebody else may be asked.
    pub(in crate::consensus) unanswered: bool,
    /// This replica came back, and too few have said how far they are.
    pub(in crate::consensus) asking: bool,
}

/// Counts one more for `member`, unless that would be more than `most`.
fn within(counts: &mut PerMember<u16>, member: usize, most: u16) -> bool {
    match counts.get_mut(member) {
        Some(count) if *count < most => {
            *count += 1;
            true
        }
        _ => false,
    }
}

impl Peers {
    pub(in crate::consensus) fn new(n: usize) -> Self {
        Self {
            claims: PerMember::new(n, 0),
            fetch: None,
            turn: 0,
            helped: PerMember::new(n, 0),
            served: PerMember::new(n, 0),
            answered: None,
            heard: Time::ZERO,
            ticks: 0,
            last: 0,
        }
    }

    // ---- what they say ---------------------------------------------------------------------------

    /// A member has executed at least this far, as it says.
    pub(in crate::consensus) fn claim(&mut self, member: usize, executed: u64) {
        if let Some(claim) = self.claims.get_mut(member) {
            *claim = executed.max(*claim);
        }
    }
    pub(in crate::consensus) fn set_claim(&mut self, member: usize, executed: u64) {
        if let Some(claim) = self.claims.get_mut(member) {
            *claim = executed;
        }
    }
    /// How many say that they are as far.
    pub(in crate::consensus) fn as_far(&self, executed: u64) -> usize {
        let claims = self.claims.iter();
        claims.filter(|&&claim| claim >= executed).count()
    }
    /// A member says how far it is: for how long nobody had. A replica that came back has heard enough
    /// when more than `faults` have.
    pub(in crate::consensus) fn said(
        &mut self,
        now: Time,
        member: usize,
        executed: u64,
        faults: usize,
    ) -> Span {
        if let Some(answered) = &mut self.answered {
            answered.insert(member);
            if answered.len() > faults {
                self.answered = None;
            }
        }
        self.set_claim(member, executed);
        now - std::mem::replace(&mut self.heard, now)
    }
    /// The replica has restarted: it asks until enough have answered.
    pub(in crate::consensus) fn restarted(&mut self) {
        self.answered = Some(Members::default());
    }

    // ---- helping them ----------------------------------------------------------------------------

    /// May this member be helped?
    pub(in crate::consensus) fn may_help(&mut self, member: usize) -> bool {
        within(&mut self.helped, member, MAX_HELP)
    }
    /// May it be sent what it asks for?
    pub(in crate::consensus) fn may_serve(&mut self, member: usize) -> bool {
        within(&mut self.served, member, MAX_SERVED)
    }

    // ---- asking them -----------------------------------------------------------------------------

    /// Is somebody being asked?
    pub(in crate::consensus) fn asking(&self) -> bool {
        self.fetch.is_some()
    }
    /// A member is asked; nobody else is before it answers or a tick has passed.
    pub(in crate::consensus) fn ask(&mut self, peer: usize) {
        self.fetch = Some(Fetch { peer, old: false });
    }
    /// Was this member asked? Then its answer is here.
    pub(in crate::consensus) fn answered_by(&mut self, peer: usize) -> bool {
        self.fetch.take_if(|fetch| fetch.peer == peer).is_some()
    }
    /// The next member that claims to be ahead of `executed`.
    pub(in crate::consensus) fn ahead(&mut self, executed: u64) -> Option<usize> {
        let n = self.claims.len();
        let peer = (1..=n)
            .map(|i| (self.turn + i) % n)
            .find(|&i| self.claims.get(i).is_some_and(|&claim| claim > executed))?;
        self.turn = peer;
        Some(peer)
    }
    /// The next member in turn, whatever it says.
    pub(in crate::consensus) fn next(&mut self, me: usize) -> usize {
        let n = self.claims.len().max(1);
        self.turn = (self.turn + 1) % n;
        if self.turn == me {
            self.turn = (self.turn + 1) % n;
        }
        self.turn
    }
    /// With whom to compare notes in a quiet time: one after the other, so that a replica that was cut
    /// off while all was quiet learns what it missed.
    pub(in crate::consensus) fn to_compare(&self, me: usize) -> usize {
        let n = self.claims.len().max(1);
        let round = (self.ticks / IDLE_TICKS) as usize;
        (me + 1 + round % (n - 1).max(1)) % n
    }

    // ---- time ------------------------------------------------------------------------------------

    /// Time has passed, and this replica is as far as `executed`.
    pub(in crate::consensus) fn tick(&mut self, executed: u64) -> Tick {
        self.ticks = self.ticks.wrapping_add(1);
        self.helped.fill(0);
        self.served.fill(0);
        let overdue = self.fetch.take_if(|fetch| fetch.old);
        if let Some(fetch) = &overdue {
            self.set_claim(fetch.peer, 0);
        }
        if let Some(fetch) = &mut self.fetch {
            fetch.old = true;
        }
        let quiet = std::mem::replace(&mut self.last, executed) == executed;
        Tick {
            quiet,
            idle: quiet && self.ticks.is_multiple_of(IDLE_TICKS),
            unanswered: overdue.is_some(),
            asking: self.answered.is_some(),
        }
    }
}
