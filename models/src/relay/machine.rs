//! What a chain that relays join executes: its own commands, and those of relays.

use super::packet::{
    ATTESTS, Attested, Command, Packet, PacketId, Proven, in_key, last_key, number, out_key,
    trusted_key,
};
use super::{CLOCK_DRIFT, TRUSTING_PERIOD, seeded};
use crate::light::{Certified, TrustLevel, Trusted, Verifier};
use consim_core::machine::ApplyAt;
use consim_core::{
    ChainId, Decoder, Keyring, NodeId, Payload as _, Receipt, State, StateMachine, Tx, Work,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Refused: the command cannot be read.
pub const MALFORMED: &str = "malformed";
/// Refused: only members send packets.
pub const NO_MEMBER: &str = "no member";
/// Refused: no way leads there.
pub const NO_WAY: &str = "no way";
/// Refused: the chain whose header is shown is no neighbour.
pub const NO_NEIGHBOUR: &str = "no neighbour";
/// Refused: the header is not attested.
pub const NOT_ATTESTED: &str = "not attested";
/// Refused: the header does not commit to what is shown.
pub const NOT_IN_STATE: &str = "not in the state";
/// Refused: the number was received before.
pub const RECEIVED_BEFORE: &str = "received before";
/// Refused: the packet's deadline has passed.
pub const TOO_LATE: &str = "too late";
/// Refused: a packet counts as late that may still be received.
pub const TOO_EARLY: &str = "too early";
/// Refused: the number is not in the outbox.
pub const SETTLED_BEFORE: &str = "settled before";

/// What packets are for (the module of ICS-26).
pub trait Application: Send + Sync {
    /// May `origin` send this? Whatever it changes in the state counts if it may.
    fn sends(
        &self,
        state: &mut dyn State,
        origin: NodeId,
        packet: &Packet,
        at: ApplyAt,
    ) -> Result<(), &'static str>;
    /// A packet for this chain has come.
    fn received(&self, state: &mut dyn State, packet: &Packet, at: ApplyAt);
    /// A packet of this chain was received at its next hop, or ran out of time before.
    fn settled(&self, _state: &mut dyn State, _packet: &Packet, _received: bool) {}
}

/// The application of a chain that passes packets of others on and has none of its own.
#[derive(Clone, Copy, Debug)]
pub struct PassingOn;

impl Application for PassingOn {
    fn sends(
        &self,
        _state: &mut dyn State,
        _origin: NodeId,
        _packet: &Packet,
        _at: ApplyAt,
    ) -> Result<(), &'static str> {
        Err(NO_WAY)
    }
    fn received(&self, _state: &mut dyn State, _packet: &Packet, _at: ApplyAt) {}
}

/// What a chain knows of a neighbour from the genesis on.
#[derive(Clone, Debug)]
pub struct Neighbour {
    /// What its attestations look like.
    pub verifier: Verifier,
    /// Its genesis.
    pub genesis: Trusted,
}

impl Neighbour {
    /// The chain of these members, who attest by this rule for quorums and began at this time.
    pub fn new(
        chain: ChainId,
        keys: Keyring,
        quorum: fn(usize) -> usize,
        members: Arc<[NodeId]>,
        start_ns: i64,
    ) -> Self {
        Self {
            verifier: Verifier {
                chain,
                keys,
                administrator: None,
                certified: Certified {
                    decides: ATTESTS,
                    // No checkpoint of it is ever shown.
                    checkpoint: 0,
                    interval: 1,
                    quorum,
                },
                trusting_period: TRUSTING_PERIOD,
                clock_drift: CLOCK_DRIFT,
                trust_level: TrustLevel::THIRD,
            },
            genesis: Trusted::genesis(members, start_ns),
        }
    }

    /// What a chain trusts of it.
    fn trusted(&self, state: &dyn State) -> Trusted {
        let kept = state.get(&trusted_key(self.verifier.chain));
        let kept = kept.and_then(|kept| Trusted::decode(&mut Decoder::new(&kept)).ok());
        kept.unwrap_or_else(|| self.genesis.clone())
    }
}

/// A state machine that sends and receives packets beside what `inner` does.
pub struct RelayMachine {
    /// What it does beside.
    pub inner: Arc<dyn StateMachine>,
    /// What packets are for.
    pub application: Arc<dyn Application>,
    /// This chain.
    pub chain: ChainId,
    /// Who may send.
    pub members: Arc<[NodeId]>,
    /// The chains with which relays join it.
    pub neighbours: BTreeMap<ChainId, Neighbour>,
    /// The neighbour on the way to each chain.
    pub next: BTreeMap<ChainId, ChainId>,
}

impl RelayMachine {
    fn execute(&self, state: &mut dyn State, tx: &Tx, at: ApplyAt) -> Result<(), &'static str> {
        match Command::decode(tx.body()).map_err(|_| MALFORMED)? {
            Command::Send {
                to,
                deadline_ns,
                body,
            } => {
                let origin = tx.id().origin;
                if !self.members.contains(&origin) {
                    return Err(NO_MEMBER);
                }
                let packet = Packet {
                    id: PacketId {
                        chain: self.chain,
                        tx: tx.id(),
                    },
                    to,
                    deadline_ns,
                    body,
                };
                if deadline_ns <= at.time_ns {
                    return Err(TOO_LATE);
                }
                self.application.sends(state, origin, &packet, at)?;
                self.put_out(state, &packet)
            }
            Command::Deliver { shown, packets } => self.deliver(state, tx, &shown, &packets, at),
            Command::Settle {
                shown,
                received,
                late,
            } => self.settle(state, &shown, &received, &late, at),
        }
    }

    /// The packet goes into the outbox of its next hop.
    fn put_out(&self, state: &mut dyn State, packet: &Packet) -> Result<(), &'static str> {
        let next = *self.next.get(&packet.to).ok_or(NO_WAY)?;
        let last = number(state.get(&last_key(next)).as_deref()) + 1;
        state.put(&last_key(next), &last.to_be_bytes());
        state.put(&out_key(next, last), &packet.encode());
        Ok(())
    }

    /// Believes a neighbour's header if it is attested; the neighbour.
    fn believe(
        &self,
        state: &mut dyn State,
        shown: &Attested,
        at: ApplyAt,
    ) -> Result<ChainId, &'static str> {
        let from = shown.header.chain;
        let neighbour = self.neighbours.get(&from).ok_or(NO_NEIGHBOUR)?;
        let (before, mut work) = (neighbour.trusted(state), Work::NONE);
        let verifier = &neighbour.verifier;
        let trusted = verifier.attested(
            &before,
            &shown.header,
            &shown.certificate,
            at.time_ns,
            &mut work,
        );
        let trusted = trusted.map_err(|_| NOT_ATTESTED)?;
        if trusted != before {
            let mut value = Vec::with_capacity(trusted.encoded_len());
            trusted.encode(&mut value);
            state.put(&trusted_key(from), &value);
        }
        Ok(from)
    }

    fn deliver(
        &self,
        state: &mut dyn State,
        tx: &Tx,
        shown: &Attested,
        packets: &[Proven],
        at: ApplyAt,
    ) -> Result<(), &'static str> {
        let from = self.believe(state, shown, at)?;
        let mut by = tx.id().origin.0.to_be_bytes().to_vec();
        by.extend_from_slice(&tx.id().number.to_be_bytes());
        for (number, proof) in packets {
            let key = out_key(self.chain, *number);
            let mut value = proof.shows_value(&shown.header.state_root, &key).flatten();
            if seeded::on(&seeded::PROOF_NOT_CHECKED) {
                value = proof.claims();
            }
            let packet = Packet::decode(value.ok_or(NOT_IN_STATE)?).map_err(|_| MALFORMED)?;
            let key = in_key(from, *number);
            if state.get(&key).is_some() && !seeded::on(&seeded::NUMBER_NOT_REMEMBERED) {
                return Err(RECEIVED_BEFORE);
            }
            if packet.deadline_ns <= at.time_ns {
                return Err(TOO_LATE);
            }
            state.put(&key, &by);
            if packet.to == self.chain {
                self.application.received(state, &packet, at);
            } else {
                self.put_out(state, &packet)?;
            }
        }
        if packets.is_empty() {
            return Err(MALFORMED);
        }
        Ok(())
    }

    fn settle(
        &self,
        state: &mut dyn State,
        shown: &Attested,
        received: &[Proven],
        late: &[Proven],
        at: ApplyAt,
    ) -> Result<(), &'static str> {
        let at_neighbour = self.believe(state, shown, at)?;
        let both = received.iter().map(|p| (p, true));
        for ((number, proof), was_received) in both.chain(late.iter().map(|p| (p, false))) {
            let key = out_key(at_neighbour, *number);
            let packet = state.get(&key).ok_or(SETTLED_BEFORE)?;
            let packet = Packet::decode(&packet).map_err(|_| MALFORMED)?;
            let shows = in_key(self.chain, *number);
            let shows = proof.shows_value(&shown.header.state_root, &shows);
            if shows.ok_or(NOT_IN_STATE)?.is_some() != was_received {
                return Err(NOT_IN_STATE);
            }
            // Block times of a chain do not go back: from this block on it receives the packet no more.
            let over = shown.header.time_ns >= packet.deadline_ns
                || seeded::on(&seeded::TIMEOUT_BY_AN_OLD_HEADER);
            if !was_received && !over {
                return Err(TOO_EARLY);
            }
            state.remove(&key);
            if packet.id.chain == self.chain {
                self.application.settled(state, &packet, was_received);
            }
        }
        if received.is_empty() && late.is_empty() {
            return Err(MALFORMED);
        }
        Ok(())
    }
}

impl StateMachine for RelayMachine {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
    fn genesis(&self, state: &mut dyn State) {
        self.inner.genesis(state);
    }
    fn apply(&self, state: &mut dyn State, tx: &Tx, at: ApplyAt) -> Receipt {
        if !Command::is_one(tx.body()) {
            return self.inner.apply(state, tx, at);
        }
        match self.execute(state, tx, at) {
            Ok(()) => Receipt::Applied,
            Err(reason) => Receipt::Refused(reason),
        }
    }
}
