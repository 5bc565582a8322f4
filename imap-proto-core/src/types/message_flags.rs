use alloc::vec::Vec;
use core::num::NonZeroU64;

use super::{Flag, SeqNum, Uid};

/// Holds the flags of one message, as a server told them of its own accord or in answer to a STORE.
///
/// RFC 9051 §7.5.2
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageFlags {
    /// Its sequence number when the server said so.
    pub seq: SeqNum,
    /// Its UID; servers tell it in answer to commands by UID, and may leave it out elsewhere.
    pub uid: Option<Uid>,
    /// All of its flags; `None` where only the mod-sequence was told.
    pub flags: Option<Vec<Flag>>,
    /// Its mod-sequence, where CONDSTORE is in use. RFC 7162 §3.1
    pub mod_seq: Option<NonZeroU64>,
}

impl MessageFlags {
    pub(crate) fn new(seq: SeqNum, uid: Option<Uid>, flags: Option<Vec<Flag>>, mod_seq: Option<NonZeroU64>) -> Self {
        MessageFlags { seq, uid, flags, mod_seq }
    }

    /// True when it is known to have the flag.
    pub fn has(&self, flag: &Flag) -> bool {
        self.flags.as_ref().is_some_and(|flags| flags.contains(flag))
    }
}
