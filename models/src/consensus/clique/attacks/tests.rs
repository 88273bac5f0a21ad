//! What attacks make of blocks.
