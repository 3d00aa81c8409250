//! Devices: the fingerprint that stands for what the tracker saw.
