//! The command `outbox` with the types of this shop.

fn main() -> std::process::ExitCode {
    outbox_codegen::main::<orders::shop::Shop>()
}
