//! What is found in sources and in no registry.

use std::fs;
use std::path::Path;

use outbox_codegen::lints::{self, Lint};
use outbox_runtime::{Declaration, RegistryInfo};

use crate::shop::shop;

fn nothing() -> RegistryInfo {
    RegistryInfo::new("Shop", Vec::new(), Vec::new())
}

/// The lints of files, given by their paths and texts.
fn unlisted(files: &[(&str, &str)], registry: &RegistryInfo) -> Vec<Lint> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    lints::unlisted(folder.path(), registry).expect("the files can be read")
}

/// `file:line id`.
fn places(lints: &[Lint]) -> Vec<String> {
    let place = |lint: &Lint| lint.place.as_ref().expect("a place").to_string();
    lints.iter().map(|lint| format!("{} {}", place(lint), lint.id)).collect()
}

/// Of this crate's own `shop.rs`, with what the compiler says of where its items are.
fn of_shop(registry: &RegistryInfo) -> Vec<Lint> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/overview"));
    let lints = lints::unlisted(folder, registry).expect("the files can be read");
    let in_shop = |lint: &Lint| lint.place.as_ref().is_some_and(|place| place.file == "shop.rs");
    lints.into_iter().filter(in_shop).collect()
}

#[test]
fn what_the_registry_lists_is_not_found() {
    assert_eq!(of_shop(&shop()), []);
}

#[test]
fn what_is_taken_out_of_the_registry_is_found_where_it_was_declared() {
    let mut registry = shop();
    let removed = [
        ("unlisted-handler", registry.handlers.remove(0).declared),
        ("unlisted-consumer", registry.consumers.remove(2).declared),
        ("unlisted-event", registry.events.remove(1).declared),
    ];
    let found = places(&of_shop(&registry));
    assert_eq!(found.len(), removed.len(), "{found:?}");
    for (id, declared) in removed {
        assert!(found.contains(&format!("shop.rs:{} {id}", declared.line)), "{id} in {found:?}");
    }
}

#[test]
fn items_are_found_in_modules_functions_and_conditions() {
    let text = "mod orders {\n    mod inner {\n        #[derive(Clone, outbox_runtime::Event)]\n        \
                #[event(name = \"a.b\", version = 3)]\n        pub struct A;\n    }\n}\n\
                #[cfg_attr(feature = \"x\", derive(Event), event(name = \"c\"))]\nenum C {}\n\
                fn f() {\n    #[consumer(name = \"d\", retry(max = 3))]\n    async fn d() {}\n}\n\
                #[outbox_runtime::emits(A, with = f)]\nasync fn r#type() {}\n";
    let lints = unlisted(&[("deep/er/orders.rs", text)], &nothing());
    let file = "deep/er/orders.rs";
    let expected = [
        format!("{file}:5 unlisted-event"),
        format!("{file}:9 unlisted-event"),
        format!("{file}:12 unlisted-consumer"),
        format!("{file}:15 unlisted-handler"),
    ];
    assert_eq!(places(&lints), expected);
    assert_eq!(lints[0].message, "event `a.b` v3 (`A`) is not in registry `Shop`");
    assert_eq!(lints[2].help, "add `d` to `consumers` of a registry");
    assert_eq!(
        lints[1].help,
        "add `C` to `events` of a registry; ignore this if its `cfg` is off in this build"
    );
    assert_eq!(lints[3].message, "handler (`type`) is not in registry `Shop`");
}

#[test]
fn an_attribute_in_parts_is_read_whole() {
    let registry = shop();
    let placed = &registry.events[0];
    let text = "#[derive(Event)]\n#[event(name = \"order.placed\")]\n#[event(version = 2, retired,)]\n\
                struct OrderPlaced;\n";
    let mut listed = RegistryInfo::new("Shop", vec![placed.clone()], Vec::new());
    listed.events[0].declared = Declaration::new("shop", "src/lib.rs", 4, "");
    assert_eq!(unlisted(&[("lib.rs", text)], &listed), []);
}

#[test]
fn an_attribute_is_found_under_the_name_that_the_file_gives_it() {
    let text = "use outbox_runtime::{Event as Fact, consumer as job};\n\
                #[derive(Fact)]\n#[event(name = \"a\")]\nstruct A;\n\
                mod inner {\n    use outbox_runtime::emits as says;\n    #[says(A)]\n    async fn a() {}\n}\n\
                #[job(name = \"b\")]\nasync fn b() {}\n";
    let expected =
        ["lib.rs:4 unlisted-event", "lib.rs:8 unlisted-handler", "lib.rs:11 unlisted-consumer"];
    assert_eq!(places(&unlisted(&[("lib.rs", text)], &nothing())), expected);
}

#[test]
fn strings_comments_and_macros_are_no_items() {
    let text = "// #[consumer(name = \"a\")] async fn a() {}\n\
                const A: &str = \"#[consumer(name = \\\"a\\\")] async fn a() {}\";\n\
                macro_rules! m { () => { #[consumer(name = \"a\")] async fn a() {} } }\n\
                /** #[derive(Event)] #[event(name = \"a\")] struct A; */\n\
                #[derive(Event)]\nstruct OfAnotherCrate;\n";
    assert_eq!(unlisted(&[("lib.rs", text)], &nothing()), []);
}

/// Ours have a name, or do not compile.
#[test]
fn attributes_without_a_name_are_of_another_crate() {
    let text = "#[derive(bevy::Event)]\n#[event(trigger = Global)]\nstruct Jumped;\n\
                #[kafka::consumer(topic = \"orders\")]\nasync fn orders() {}\n#[consumer]\nstruct C;\n";
    assert_eq!(unlisted(&[("lib.rs", text)], &nothing()), []);
}

#[test]
fn what_only_tests_compile_is_left_out() {
    let item = "#[consumer(name = \"a\")]\nasync fn a() {}\n";
    let lib = format!(
        "#[cfg(test)]\nmod tests;\n#[cfg(all(test, unix))]\n#[path = \"odd.rs\"]\nmod other;\n\
         #[cfg(test)]\nmod inline {{ {item} }}\n#[tokio::test]\nasync fn t() {{ {item} }}\n\
         #[cfg_attr(test, consumer(name = \"b\"))]\nasync fn b() {{}}\nmod sub;\n"
    );
    let files = [
        ("lib.rs", lib.as_str()),
        ("tests.rs", item),
        ("tests/more.rs", item),
        ("odd.rs", item),
        ("sub.rs", "#[cfg(test)]\nmod tests;\nmod inner { #[cfg(test)] mod deep; }\n"),
        ("sub/tests.rs", "this is no Rust"),
        ("sub/inner/deep/mod.rs", item),
        ("whole.rs", &format!("#![cfg(test)]\n{item}")),
    ];
    assert_eq!(unlisted(&files, &nothing()), []);
    let any = format!("#[cfg(any(test, unix))]\n{item}#[cfg(not(test))]\n{item}");
    let found = unlisted(&[("tests_of_others.rs", &any)], &nothing());
    assert_eq!(places(&found).len(), 2, "{found:?}");
}

#[test]
fn a_condition_on_a_file_or_its_module_is_told() {
    let item = "#[consumer(name = \"a\")]\nasync fn a() {}\n";
    let files = [
        ("lib.rs", "#[cfg(unix)]\nmod unix;\nmod plain;\n"),
        ("unix.rs", "mod below;\n"),
        ("unix/below.rs", item),
        ("inner.rs", &format!("#![cfg(unix)]\nmod below;\n{item}")),
        ("inner/below.rs", item),
        ("plain.rs", item),
    ];
    let lints = unlisted(&files, &nothing());
    let told: Vec<_> =
        lints.iter().map(|lint| lint.help.contains("ignore this if its `cfg` is off")).collect();
    let expected = [
        "inner.rs:4 unlisted-consumer",
        "inner/below.rs:2 unlisted-consumer",
        "plain.rs:2 unlisted-consumer",
        "unix/below.rs:2 unlisted-consumer",
    ];
    assert_eq!(places(&lints), expected);
    assert_eq!(told, [true, true, false, true]);
}

#[test]
fn an_item_declared_elsewhere_under_the_same_name_is_another_one() {
    let mut registry = shop();
    let text = "#[consumer(name = \"mail.receipt\")]\nasync fn receipt() {}\n";
    assert_eq!(places(&unlisted(&[("shop.rs", text)], &registry)), ["shop.rs:2 unlisted-consumer"]);
    // One that was implemented by hand does not say where.
    registry.consumers[0].declared = Declaration::UNKNOWN;
    assert_eq!(unlisted(&[("shop.rs", text)], &registry), []);
}

#[test]
fn a_file_that_is_no_rust_is_reported_and_hides_no_other() {
    let files = [("a.rs", "fn f() {\n  let = ;\n}"), ("b.rs", "#[emits(A)]\nasync fn f() {}")];
    let found = places(&unlisted(&files, &nothing()));
    assert_eq!(found, ["a.rs:2 unreadable-source", "b.rs:2 unlisted-handler"]);
}

#[test]
fn a_file_in_another_encoding_is_reported_and_hides_no_other() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("a.rs"), b"fn gr\xfc\xdfe() {}").expect("a file");
    fs::write(folder.path().join("b.rs"), "#[emits(A)]\nasync fn f() {}").expect("a file");
    let lints = lints::unlisted(folder.path(), &nothing()).expect("the files can be read");
    assert_eq!(places(&lints), ["a.rs:1 unreadable-source", "b.rs:2 unlisted-handler"]);
}

#[test]
fn a_module_may_be_called_target_and_what_cargo_built_is_left_out() {
    let item = "#[emits(A)]\nasync fn f() {}";
    let files = [
        ("target/mod.rs", item),
        ("built/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55"),
        ("built/debug/out.rs", item),
    ];
    assert_eq!(places(&unlisted(&files, &nothing())), ["target/mod.rs:2 unlisted-handler"]);
}

#[test]
fn a_folder_that_is_missing_is_an_error() {
    let error = lints::unlisted(Path::new("no/such/folder"), &nothing()).expect_err("an error");
    assert!(error.to_string().contains("no/such/folder"), "{error}");
}
