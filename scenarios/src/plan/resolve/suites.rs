//! Signature schemes with their hashes and ciphers: what they cost on each machine.

use super::Planner;
use crate::plan::ChainPlan;
use crate::profiles::{self, PROFILES};
use crate::schema::{At, Decode, LeafKind, Scheme, SuiteKeys};
use consim_core::Span;
use consim_core::values::{Factor, Value as _};
use consim_kernel::config::Hardware;
use consim_models::consensus::hotstuff::Additions;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of a signature that a message can state: its length is one byte, and it holds a tag of
/// eight.
const LENGTHS: std::ops::RangeInclusive<u64> = 8..=255;

/// A scheme as it costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suite {
    scheme: Scheme,
    pub(super) signature_bytes: u8,
    /// What adding up takes, if its signatures can be.
    pub(super) additions: Option<Additions>,
    /// Sign, verify, verify in a batch, where the machine does not say.
    times: [Span; 3],
    hash: Factor,
    encrypt: Factor,
}

impl Planner<'_> {
    /// The suite that `chain` names; `adds`: its signatures are added up.
    pub(super) fn suite(&mut self, chain: &str, at: &At<Scheme>, adds: bool) -> Option<Suite> {
        let word = at.value.word();
        let profile = profiles::load(self.cx, "signatures", word, Some(&at.place))?;
        let from = self.cx.leaves.len();
        let path = ["chains", chain, "signatures", "suite"];
        let keys = self
            .cx
            .below(&path, &at.place, |cx| SuiteKeys::decode(cx, &profile))?;
        // The word says it all; the numbers count in the digest, except those of the default.
        let default = at.value == Scheme::Ed25519;
        for leaf in self.cx.leaves.iter_mut().skip(from) {
            leaf.kind = LeafKind::Silent;
            leaf.default = default;
        }
        // What is not used is no difference.
        for at in [&keys.add_signature, &keys.add_key].into_iter().flatten() {
            if let Some(leaf) = self.cx.leaves.get_mut(at.leaf) {
                leaf.default = !adds;
            }
        }
        let signature = &keys.signature;
        if !LENGTHS.contains(&signature.value.0) {
            let place = signature.place.clone();
            self.cx
                .error("E107", &place, "a signature of so many bytes", "8B to 255B");
            return None;
        }
        let text = format!(
            "{}: {} a public key, {} a signature",
            profile_about(word),
            keys.public_key.value.text(),
            signature.value.text()
        );
        self.derived(&["chains", chain, "signatures"], text, &at.place.clone());
        Some(Suite {
            scheme: at.value,
            signature_bytes: signature.value.0 as u8,
            times: [
                keys.sign.value,
                keys.verify.value,
                keys.verify_batched.value,
            ],
            additions: keys
                .add_signature
                .zip(keys.add_key)
                .map(|(signature, key)| Additions {
                    signature: signature.value,
                    key: key.value,
                }),
            hash: keys.hash.value,
            encrypt: keys.encrypt.value,
        })
    }

    /// Every institution signs as its chains do; this version has one chain.
    pub(super) fn sign(&mut self, chains: &BTreeMap<String, ChainPlan>) {
        let Some(suite) = chains
            .keys()
            .find_map(|name| self.suites.get(name).copied())
        else {
            return;
        };
        let mut made: BTreeMap<String, Arc<Hardware>> = BTreeMap::new();
        for institution in &mut self.institutions {
            let name = institution.hardware_name.clone();
            let hardware = made.entry(name).or_insert_with(|| {
                let own = self.schemes.get(&institution.hardware_name);
                let time = |i: usize, otherwise: Span| {
                    let own = own.and_then(|own| own.get(i));
                    own.and_then(|own| own.of(suite.scheme))
                        .unwrap_or(otherwise)
                };
                let [sign, verify, verify_batched] = suite.times;
                let base = &institution.hardware;
                Arc::new(Hardware {
                    sign: time(0, sign),
                    verify: time(1, verify),
                    verify_batched: time(2, verify_batched),
                    hash_per_kib: scaled(base.hash_per_kib, suite.hash),
                    encrypt_per_kib: scaled(base.encrypt_per_kib, suite.encrypt),
                    ..(**base).clone()
                })
            });
            institution.hardware = Arc::clone(hardware);
        }
    }
}

/// What the profile of a scheme says that it is, without the full stop.
fn profile_about(word: &str) -> &'static str {
    let entry = PROFILES
        .iter()
        .find(|p| p.folder == "signatures" && p.name == word);
    entry.map_or("", |p| p.about().trim_end_matches('.'))
}

fn scaled(span: Span, factor: Factor) -> Span {
    Span::from_nanos(span.nanos().saturating_mul(u64::from(factor.0)) / 1_000)
}
