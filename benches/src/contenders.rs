//! The peers, a file each, and the two limits below which nothing can come.

pub mod async_imap;
mod codec_values;
pub mod framing;
pub mod imap_codec;
pub mod imap_next;
pub mod imap_proto;
pub mod io_imap;
pub mod memcpy;
mod proto_values;
mod receive_buffer;

use crate::contender::Contender;

/// All contenders that are not ours, fresh.
pub fn peers() -> Vec<Box<dyn Contender>> {
    vec![
        Box::new(memcpy::Memcpy::default()),
        Box::new(framing::Framing),
        Box::new(imap_proto::ImapProto::default()),
        Box::new(imap_codec::Raw::default()),
        Box::new(imap_codec::Fragmented::default()),
        Box::new(imap_next::ImapNext),
        Box::new(io_imap::IoImap),
        Box::new(async_imap::AsyncImap),
    ]
}
