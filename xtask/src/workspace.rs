//! Where things are in this repository, and the `cargo` that was started with it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository's top directory.
pub(crate) fn root() -> PathBuf {
    // Cargo sets the variable at run time; the compiled-in value serves a binary run directly.
    let package = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), Path::to_path_buf)
}

/// The build directory: never committed, so the place for fetched files too.
pub(crate) fn target_dir() -> PathBuf {
    let root = root();
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir))
}

/// The same `cargo` that runs this command, at the top of the repository.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}
