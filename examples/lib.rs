//! Programs that show the library at work; they are this package's examples.
