//! Operations that are ordered: a client asks its server for a command, the server brings it to the
//! chain as one transaction, and answers when it has executed that. What the store, the custody of
//! units and the samples of devices have in common.
//!
//! A model says what its commands and answers are and what a server answers ([`Orders`]); client,
//! retries, waiting and messages are here.

pub mod client;
mod marks;
pub mod message;
pub(crate) mod past;
pub mod request;
mod seeded;
pub mod service;
#[cfg(test)]
pub(crate) mod testing;

pub use client::{Client, ClientConfig};
pub use message::{Answer, Coded, Command, Message, Said};
pub use request::{Request, Wish};
pub use seeded::BUGS;
pub use service::{Early, OrderService, Orders, ServiceConfig};

/// The situations in ordered operations that searches count.
pub const MARKS: &[&consim_core::Mark] = marks::MARKS;
