//! `explore`: scenarios are drawn at random, run with all checks on, and what fails is kept.

mod campaign;
mod case;
mod corpus;
mod failing;
mod ground;
mod hidden;
mod judge;
mod kill;
mod kinds;
mod novelty;
mod strategy;
mod twins;
mod world;

pub use campaign::{CheckTally, First, Found, KindTally, MarkTally, Search, Shape, TWICE, Tally};
pub use case::{Case, Event, Tail};
pub use failing::Failing;
pub use ground::Ground;
pub use hidden::Hidden;
pub use judge::{DIVERGED, Failure, Judged, PANIC, REFUSED, judge, judge_text, planned};
pub use kill::Kill;
pub use kinds::{Also, Family, LEFT_OUT, Needs, ROWS, Row};
pub use strategy::{Focus, MAX_EVENTS, cases};
pub use twins::Twins;
pub use world::{MEMBERS, MODELS, Model, World};
