//! Random sessions whose operations are dropped half-way, and what the server has to hold afterwards.

mod change;
mod changes;
mod executor;
mod judge;
mod message;
mod model;
mod random;
mod reader;
mod reads;
mod tally;
mod uploads;
mod walk;

pub(crate) use executor::{Connect, Executor};
pub(crate) use judge::{Damage, Judge, Sums};
pub(crate) use model::Model;
pub(crate) use random::Random;
pub(crate) use tally::Tally;
pub(crate) use walk::Walk;
