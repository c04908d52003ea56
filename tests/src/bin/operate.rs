//! The command `outbox` without types, for the tests of what it does in a database.

fn main() -> std::process::ExitCode {
    outbox_codegen::command::standalone()
}
