//! Graphs: what is in them, how they are laid out, and that the programs which draw them do.

mod browser;
mod drawn;
mod parts;

#[test]
#[ignore]
fn pictures_for_looking() {
    use crate::{large::large, names::hostile, shop};
    use outbox_codegen::graph;
    for (name, registry) in [
        ("small", shop::small()),
        ("shop", shop::shop()),
        ("large", large()),
        ("hostile", hostile()),
    ] {
        let graph = graph::of(&registry);
        let dir = std::path::PathBuf::from(std::env::var_os("PICTURES").expect("a folder"));
        std::fs::write(dir.join(format!("{name}.svg")), graph::svg(&graph)).expect("a file");
        std::fs::write(dir.join(format!("{name}.mmd")), graph::mermaid(&graph)).expect("a file");
        std::fs::write(dir.join(format!("{name}.dot")), graph::dot(&graph)).expect("a file");
    }
}
