//! An IMAP client for tokio.
