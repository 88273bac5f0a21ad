//! B6, `malformed`: bytes that are no message of anything. A receiver has to refuse them.

use super::traitor::{Behaviour, Out, Says, To};
use consim_core::{Payload, Raw, mix};
use std::sync::Arc;

/// How many ways there are.
const WAYS: u64 = 4;

/// Garbles a share of the messages.
pub(super) struct Malformed {
    rate_ppb: u32,
    key: u64,
    said: u64,
}

impl Malformed {
    pub(super) fn new(rate_ppb: u32, key: u64) -> Self {
        Self {
            rate_ppb,
            key,
            said: 0,
        }
    }
}

/// Bytes that are near a message and none: cut off, overlong, with a list that is longer than the
/// message, or noise.
fn garbled(payload: &dyn Payload, draw: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.encoded_len());
    payload.encode(&mut bytes);
    match draw % WAYS {
        0 => bytes.truncate(bytes.len() / 2),
        1 => bytes.extend_from_slice(&draw.to_be_bytes()),
        2 => {
            // Version and family stay, so that the right decoder tries to read it.
            for byte in bytes.iter_mut().skip(2) {
                *byte = 0xff;
            }
        }
        _ => {
            for (byte, i) in bytes.iter_mut().zip(0..) {
                *byte = mix(draw, i) as u8;
            }
        }
    }
    bytes
}

impl Behaviour for Malformed {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let draw = mix(self.key, self.said);
        self.said += 1;
        if draw % 1_000_000_000 >= u64::from(self.rate_ppb) {
            return Says::AsItIs;
        }
        out.count(to.each(out.node()).count() as u64);
        let raw = Raw {
            kind: payload.kind(),
            bytes: garbled(&**payload, mix(draw, 1)),
        };
        out.send_to(to, Arc::new(raw));
        Says::Nothing
    }
}
