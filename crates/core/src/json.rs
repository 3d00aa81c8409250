//! JSON as the outside world sends it: depth bounded, keys unique, text storable.
