//! The vocabulary of IMAP, one noun a file.
