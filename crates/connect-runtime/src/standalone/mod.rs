//! What is left of the first herder: goes with `validation/`.

pub(crate) mod validation;
