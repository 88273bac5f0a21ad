//! Clique's: a signer shows each half of the group another branch, in the names of those whose turn is next.

use super::{CALM_MS, Hidden, LENGTH_MS};

impl Hidden {
    /// The scenario under Clique.
    pub(super) fn of_clique(&self, seed: u64) -> String {
        let ground = self.world.ground("clique");
        let head = self.world.head(ground.protocol, LENGTH_MS);
        let forger = ground.names(vec![self.roles[0]]);
        let length = self.mute.min(CALM_MS.saturating_sub(self.at));
        format!(
            "{head}seed: {seed}
adversaries: {{ forger: {{ nodes: {forger} }} }}
attacks:
  forged: {{ at: {}ms, for: {length}ms, phantom-validator: {} }}
",
            self.at, ground.chain
        )
    }
}
