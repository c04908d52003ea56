//! What is committed and generated, held against what it is generated from: the tool used on itself.

use anyhow::Result;

use crate::{process, workspace};

/// The committed schemas, their compatibility with what was released, the migrations, the lints and the picture of the
/// examples.
pub(crate) fn run() -> Result<()> {
    let orders = "schemas/orders";
    own(&["schemas", "check", "--schemas", orders])?;
    own(&["schemas", "compat", "--schemas", orders])?;
    for db in ["postgres", "sqlite"] {
        own(&["migrations", "check", &format!("examples/orders/migrations/{db}"), "--db", db])?;
    }
    own(&["check", "--sources", "examples/orders/src"])?;
    own(&["graph", "--format", "svg", "--output", "examples/orders/graph.svg", "--check"])?;
    // (That the quickstart's are those of its code is a test of its own.)
    let mut command = workspace::cargo();
    command.args(["run", "--quiet", "--package", "outbox-codegen", "--bin", "outbox", "--"]);
    process::run(command.args(["schemas", "compat", "--schemas", "schemas/quickstart"]))
}

fn own(arguments: &[&str]) -> Result<()> {
    let mut command = workspace::cargo();
    command.args(["run", "--quiet", "--package", "orders", "--bin", "orders-outbox", "--"]);
    process::run(command.args(arguments))
}
