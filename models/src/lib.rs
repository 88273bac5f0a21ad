//! Models: consensus protocols, ledger, full node, data sharing.
