//! The public keys that the checks of a run verify with.

use consim_core::{ChainId, KeyId, Keyring, NodeId};
use std::collections::BTreeMap;

/// The keyrings of a run: everybody has one key, and each chain its own scheme of signatures.
#[derive(Clone, Default, Debug)]
pub struct Keys {
    usual: Keyring,
    other: BTreeMap<ChainId, Keyring>,
}

impl Keys {
    /// Those of several chains.
    pub fn of_chains(chains: impl IntoIterator<Item = (ChainId, Keyring)>) -> Self {
        let other: BTreeMap<ChainId, Keyring> = chains.into_iter().collect();
        let first = other.values().next().cloned();
        Self {
            usual: first.unwrap_or_default(),
            other,
        }
    }
    /// The keyring of a chain.
    pub fn of(&self, chain: ChainId) -> &Keyring {
        self.other.get(&chain).unwrap_or(&self.usual)
    }
    /// Whose a key is, or was: the same on all chains.
    pub fn owner(&self, key: KeyId) -> NodeId {
        self.usual.owner(key)
    }
}

impl From<Keyring> for Keys {
    fn from(usual: Keyring) -> Self {
        Self {
            usual,
            other: BTreeMap::new(),
        }
    }
}
