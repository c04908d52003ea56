//! The program of three crates runs, and what two of them include is there once.

use std::process::Command;

#[test]
fn registries_of_three_crates_are_one_application() {
    let folder = std::env::temp_dir().join(format!("outbox-tests-app-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_outbox-tests-app"))
        .arg(folder.join("app.db"))
        .output()
        .expect("the program starts");
    std::fs::remove_dir_all(&folder).expect("the folder goes");
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}{errors}");
    assert_eq!(
        printed,
        "registry App includes Shop, Billing
event app.started v1 of App: The application was started.
event order.placed v2 of Shop: An order was placed.
event order.placed v1 of Shop: An order was placed, before there were currencies.
event invoice.paid v1 of Billing: An invoice was paid.
consumer app.hello of App takes app.started v1
consumer shop.pack of Shop takes order.placed v2
consumer shop.send of Shop takes invoice.paid v1
consumer billing.book of Billing takes invoice.paid v1
hello
handled 4
booked [(\"main\", 250)]
"
    );
}
