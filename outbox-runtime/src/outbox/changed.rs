//! placeholder
pub struct Changed;
pub struct EmitChanged;
