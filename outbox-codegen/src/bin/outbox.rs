//! The commands that need no types of yours.

fn main() -> std::process::ExitCode {
    outbox_codegen::command::standalone()
}
