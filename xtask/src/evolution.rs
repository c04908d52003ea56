//! The life of an event in a crate of its own, as its author lives it: released, broken, refused, mended with
//! a conversion, and replayed from a real database.

mod source;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace;

/// A crate with events, a consumer, and the command `outbox`.
struct Shop {
    folder: PathBuf,
}

/// Fails where the command does not say what an author would need to read.
pub(crate) fn run() -> Result<()> {
    let shop = Shop::new()?;

    shop.becomes(source::RELEASED)?;
    shop.outbox(&["schemas", "generate"], 0, &["files written"])?;
    shop.outbox(&["schemas", "release"], 0, &["released order.placed version 1"])?;
    shop.outbox(&["schemas", "check"], 0, &[])?;
    shop.run("shop", &["emit"], 0, &["3 orders emitted"])?;

    shop.becomes(source::BROKEN)?;
    shop.outbox(&["schemas", "check"], 1, &["+    \"currency\": {", "outbox schemas generate"])?;
    shop.outbox(
        &["schemas", "compat"],
        1,
        &[
            "order.placed version 1 (shop::OrderPlaced, src/lib.rs:",
            "BREAKING required-field-added at .currency",
            "backward: the code does not read this, which what was released may have written:",
            "consumers: orders.print",
            "bump the version, keep the old type as `retired`, and convert",
        ],
    )?;
    shop.outbox(
        &["schemas", "compat", "--format", "github"],
        1,
        &["::error file=src/lib.rs,line="],
    )?;

    shop.becomes(source::MENDED)?;
    shop.outbox(&["schemas", "compat"], 0, &["1 released version: 0 breaking"])?;
    shop.outbox(&["schemas", "generate"], 0, &["order.placed/v2.write.json"])?;
    shop.outbox(&["schemas", "check"], 0, &[])?;
    shop.outbox(&["schemas", "release"], 0, &["released order.placed version 2"])?;
    shop.run("shop", &["emit"], 0, &["3 orders emitted"])?;
    let orders = ["order 1: 100 EUR", "order 2: 200 EUR", "order 3: 300 EUR", "order 3: 300 SEK"];
    shop.run("shop", &["work"], 0, &orders)?;
    let replay = ["consumers", "replay", "orders.print", "--from-beginning"];
    let here = ["--database-url", "sqlite:shop.db"];
    shop.outbox(&[&replay[..], &here].concat(), 0, &["to come again: 6 events"])?;
    shop.run("shop", &["work"], 0, &orders)?;
    shop.outbox(&["check"], 0, &["0 errors, 0 warnings"])
}

impl Shop {
    fn new() -> Result<Self> {
        let folder = workspace::target_dir().join("evolution/shop");
        if folder.exists() {
            fs::remove_dir_all(&folder).context("cannot remove what an earlier run left")?;
        }
        fs::create_dir_all(folder.join("src/bin"))
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let shop = Self { folder };
        shop.write("Cargo.toml", &source::manifest(&workspace::root()))?;
        shop.write("src/main.rs", source::MAIN)?;
        shop.write("src/bin/outbox.rs", source::COMMAND)?;
        // The versions that the repository has chosen.
        let lock = workspace::root().join("Cargo.lock");
        fs::copy(lock, shop.folder.join("Cargo.lock")).context("cannot copy Cargo.lock")?;
        Ok(shop)
    }

    fn write(&self, file: &str, text: &str) -> Result<()> {
        fs::write(self.folder.join(file), text).with_context(|| format!("cannot write {file}"))
    }

    /// Its author changes its events.
    fn becomes(&self, library: &str) -> Result<()> {
        self.write("src/lib.rs", library)
    }

    fn outbox(&self, arguments: &[&str], code: i32, says: &[&str]) -> Result<()> {
        self.run("outbox", arguments, code, says)
    }

    /// Runs one of its binaries, which must end with this code and print all of this.
    fn run(&self, binary: &str, arguments: &[&str], code: i32, says: &[&str]) -> Result<()> {
        let shown = format!("cargo run --bin {binary} -- {}", arguments.join(" "));
        println!("    $ {shown}");
        let output = self
            .cargo()
            .args(["run", "--quiet", "--bin", binary, "--"])
            .args(arguments)
            .output()
            .with_context(|| format!("cannot start `{shown}`"))?;
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        ensure!(output.status.code() == Some(code), "`{shown}`: {}\n{text}", output.status);
        for line in says {
            ensure!(text.contains(line), "`{shown}` does not say `{line}`:\n{text}");
        }
        Ok(())
    }

    fn cargo(&self) -> Command {
        let mut command = workspace::cargo();
        command.current_dir(&self.folder);
        command.env("CARGO_TARGET_DIR", workspace::target_dir().join("evolution/target"));
        command
    }
}
