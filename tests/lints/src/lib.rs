//! A user's crate that denies every warning, and uses every macro and option. Nothing is allowed
//! here, so a warning that names an attribute comes from what it generates.

#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    future_incompatible,
    let_underscore,
    nonstandard_style,
    rust_2018_idioms,
    rust_2024_compatibility,
    unused,
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unnameable_types,
    unreachable_pub,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    variant_size_differences
)]
#![deny(clippy::all, clippy::nursery, clippy::pedantic)]
#![deny(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::as_conversions,
    clippy::clone_on_ref_ptr,
    clippy::default_union_representation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::multiple_inherent_impl,
    clippy::panic,
    clippy::rest_pat_in_fully_bound_structs,
    clippy::same_name_method,
    clippy::unreachable,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm
)]
#![forbid(unsafe_code)]

pub mod consumers;
pub mod events;
pub mod service;

use outbox_runtime::{registry, FromRef};

/// The application's state.
#[derive(Clone, Copy, Debug)]
pub struct AppState {
    mailer: Mailer,
    name: &'static str,
}

/// A part of it.
#[derive(Clone, Copy, Debug)]
pub struct Mailer;

impl FromRef<AppState> for Mailer {
    fn from_ref(state: &AppState) -> Self {
        state.mailer
    }
}

impl FromRef<AppState> for &'static str {
    fn from_ref(state: &AppState) -> Self {
        state.name
    }
}

registry! {
    /// Everything the shop emits and consumes.
    pub struct Shop;
    state: AppState,
    events: [
        events::OrderPlaced,
        events::OrderPlacedV2,
        events::OrderPlacedV1,
        events::OrderChanged,
        events::Moved,
        events::Ticked,
        events::Computed,
    ],
    consumers: [
        consumers::everything,
        consumers::by_value,
        consumers::by_path,
        consumers::by_closure,
        consumers::at_a_time,
        consumers::quiet,
        consumers::many,
        consumers::many_quietly,
        consumers::reserve,
        consumers::release,
    ],
}
