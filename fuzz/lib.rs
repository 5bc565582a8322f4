//! Fuzz targets for the core.
