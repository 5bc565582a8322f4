use alloc::vec::Vec;
use core::fmt;

use super::body_shape::is_list;
use super::{BodyKind, BodyStructure};
use crate::wire::Values;

/// Holds the numbers that lead to a part: 1.2.3. Empty for a message that is a multipart.
///
/// A multipart that is the body of a message within has no number of its own, and so the path of that message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartPath(Vec<u32>);

impl PartPath {
    /// The numbers, outermost first.
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }
}

impl fmt::Display for PartPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, number) in self.0.iter().enumerate() {
            let dot = if position == 0 { "" } else { "." };
            write!(f, "{dot}{number}")?;
        }
        Ok(())
    }
}

/// Goes through all parts of a message, outermost first. Made by [`BodyStructure::walk`].
///
/// As an iterator it gives each part with a path to keep; [`advance`](Self::advance) and [`path`](Self::path) do
/// the same without copying the path.
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    first: Option<BodyStructure<'a>>,
    current: BodyStructure<'a>,
    levels: Vec<Level<'a>>,
    path: Vec<u32>,
}

#[derive(Clone, Debug)]
struct Level<'a> {
    siblings: Values<'a>,
    /// How many numbers of the path lead to the multipart.
    prefix: usize,
    number: u32,
}

impl<'a> Walk<'a> {
    pub(super) fn new(part: BodyStructure<'a>) -> Self {
        Walk { first: Some(part), current: part, levels: Vec::new(), path: Vec::new() }
    }

    /// Moves on to the next part.
    pub fn advance(&mut self) -> Option<BodyStructure<'a>> {
        if let Some(first) = self.first.take() {
            return Some(self.enter_body(first));
        }
        if let Some(body) = self.current.body() {
            return Some(self.enter_body(body));
        }
        if let Some(siblings) = self.current.part_values() {
            self.levels.push(Level { siblings, prefix: self.path.len(), number: 0 });
        }
        while let Some(level) = self.levels.last_mut() {
            if let Some(sibling) = level.siblings.next().filter(is_list) {
                level.number += 1;
                self.path.truncate(level.prefix);
                self.path.push(level.number);
                self.current = BodyStructure::of_part(sibling);
                return Some(self.current);
            }
            self.path.truncate(level.prefix);
            self.levels.pop();
        }
        None
    }

    /// The numbers that lead to the part [`advance`](Self::advance) returned last.
    pub fn path(&self) -> &[u32] {
        &self.path
    }

    /// The body of a message is part 1 of it, but for a multipart, whose parts are those of the message.
    fn enter_body(&mut self, body: BodyStructure<'a>) -> BodyStructure<'a> {
        if body.kind() != BodyKind::Multipart {
            self.path.push(1);
        }
        self.current = body;
        body
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (PartPath, BodyStructure<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let part = self.advance()?;
        Some((PartPath(self.path.clone()), part))
    }
}
