//! Our own receive path, once borrowed and once owned.

use crate::contender::Contender;

/// The contender all ratios are taken against, once [`contenders`] has it.
pub const REFERENCE: &str = "ours: owned";

/// Our own contenders, fresh.
pub fn contenders() -> Vec<Box<dyn Contender>> {
    Vec::new()
}
