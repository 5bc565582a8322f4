//! COMPRESS=DEFLATE, both directions of it. RFC 4978

use std::fmt;

use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush};

/// What is inflated at a time, and by how much the output grows.
const STEP: usize = 16 << 10;
/// Between time and size.
const LEVEL: i32 = 6;
/// No header, and a window of 32 KiB. RFC 4978 §4
const RAW: i32 = -15;

pub(super) struct Compression {
    inflater: Box<InflateState>,
    deflater: Box<CompressorOxide>,
    /// What the client sent and was not inflated yet.
    input: Vec<u8>,
}

/// The client sent what is no DEFLATE stream.
pub(super) struct Corrupt;

impl fmt::Debug for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compression").field("input", &self.input.len()).finish_non_exhaustive()
    }
}

impl Compression {
    pub(super) fn new() -> Self {
        let flags = create_comp_flags_from_zip_params(LEVEL, RAW, 0);
        Compression {
            inflater: InflateState::new_boxed(DataFormat::Raw),
            deflater: Box::new(CompressorOxide::new(flags)),
            input: Vec::new(),
        }
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// Some of what the client sent; nothing where all of it was given out. What little inflates to much is not held as a whole.
    pub(super) fn inflate(&mut self) -> Result<Vec<u8>, Corrupt> {
        let mut bytes = vec![0; STEP];
        let result = inflate(&mut self.inflater, &self.input, &mut bytes, MZFlush::None);
        if !matches!(result.status, Ok(_) | Err(MZError::Buf)) {
            return Err(Corrupt);
        }
        self.input.drain(..result.bytes_consumed);
        bytes.truncate(result.bytes_written);
        Ok(bytes)
    }

    /// An answer, flushed.
    pub(super) fn deflate(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        loop {
            let end = out.len();
            out.resize(end + STEP, 0);
            let result = deflate(&mut self.deflater, bytes, &mut out[end..], MZFlush::Sync);
            bytes = &bytes[result.bytes_consumed..];
            out.truncate(end + result.bytes_written);
            if result.bytes_written < STEP {
                return out;
            }
        }
    }
}
