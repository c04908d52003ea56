//! Whether verdicts about compatibility are true: of real types, of random schemas, and of schemas that
//! people have.

mod dialects;
mod schemas;
mod snapshots;
mod sound;
mod values;
