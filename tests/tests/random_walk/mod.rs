//! Random sessions whose operations are dropped half-way, and what the server has to hold afterwards.

mod message;
mod model;
mod random;
mod reader;
mod tally;
mod walk;

pub(crate) use model::{Damage, Model};
pub(crate) use random::Random;
pub(crate) use tally::Tally;
pub(crate) use walk::Walk;
