//! Types for TypeScript, read by its compiler.

use std::fmt::Write;

use outbox_codegen::documents::{envelope, typescript};
use outbox_runtime::RegistryInfo;

use crate::events::{samples, shop};
use crate::log::events;
use crate::mutate::mutations;
use crate::odd;
use crate::tools::{Folder, Output};

const IMPORT: &str = "import type * as shop from \"./events\";\n";

/// What the compiler says of a program that imports the types as `shop`.
pub(crate) fn compiled(program: &str) -> Output {
    compiled_with(&shop(), program)
}

fn compiled_with(registry: &RegistryInfo, program: &str) -> Output {
    let folder = Folder::new();
    folder.write("events.d.ts", &typescript::declarations(registry));
    folder.write("program.ts", &format!("{IMPORT}{program}"));
    folder.tsc(&["events.d.ts", "program.ts"])
}

/// The name of the type of a payload.
pub(crate) fn type_of(name: &str, version: u32) -> String {
    let name = match name {
        "2fa.enabled" => "Event2faEnabled",
        "forum/thread:posted" => "ForumThreadPosted",
        "order.placed" => "OrderPlaced",
        "order_placed" => return "OrderPlacedV2_2".to_owned(),
        "rpc.lines.add" => "RpcLinesAdd",
        "stripe:payment.settled" => "StripePaymentSettled",
        other => panic!("an event without a name in TypeScript: {other}"),
    };
    format!("{name}V{version}")
}

#[test]
fn real_payloads_and_events_have_the_types() {
    let mut program = String::new();
    for (index, sample) in samples().iter().enumerate() {
        let one = type_of(sample.name, sample.version);
        writeln!(program, "const payload{index}: shop.{one} = {};", sample.payload).expect("text");
    }
    for (index, event) in events().iter().enumerate() {
        let one = type_of(&event.name, event.version);
        let text = envelope::text(event);
        writeln!(program, "const event{index}: shop.{one}Event = {text};").expect("text");
        writeln!(program, "const any{index}: shop.AnyEvent = {text};").expect("text");
    }
    let output = compiled(&program);
    assert!(output.success, "{}", output.text);
}

/// What the schema admits, the type admits.
#[test]
fn no_type_is_narrower_than_its_schema() {
    let mut program = String::new();
    let mut count = 0;
    for sample in samples() {
        let registry = shop();
        let event = registry
            .events
            .iter()
            .find(|event| (event.name, event.version) == (sample.name, sample.version))
            .expect("its event");
        let schema = (event.write_schema)().to_value();
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let one = type_of(sample.name, sample.version);
        for value in mutations(&sample.payload) {
            if validator.is_valid(&value) {
                writeln!(program, "const v{count}: shop.{one} = {value};").expect("text");
                count += 1;
            }
        }
    }
    assert!(count > 150, "{count} values");
    let output = compiled(&program);
    assert!(output.success, "{}", output.text);
}

#[test]
fn the_name_and_the_version_tell_what_the_payload_is() {
    let program = r#"
        export function read(event: shop.AnyEvent): string {
            switch (event.name) {
                case "order.placed":
                    if (event.version === 1) return event.payload.address.line;
                    return event.payload.address.street;
                case "stripe:payment.settled":
                    return event.payload.method === "Card" ? event.payload.last4 : "";
                case "order_placed":
                    return String(event.payload.old ?? event.headers.tenant);
                case "rpc.lines.add":
                    return event.payload.output.sku;
                case "2fa.enabled":
                case "forum/thread:posted":
                    return event.key ?? event.id;
            }
        }
        export function wrong(event: shop.AnyEvent): void {
            // @ts-expect-error
            event.payload.address;
            // @ts-expect-error
            if (event.name === "order.placed" && event.version === 2) event.payload.address.line;
            // @ts-expect-error
            if (event.name === "order.unplaced") return;
        }
    "#;
    let output = compiled(program);
    assert!(output.success, "{}", output.text);
}

#[test]
fn the_compiler_refuses_what_is_wrong() {
    let output = compiled("export const x: shop.OrderPlacedV1 = { order_id: 1 };\n");
    assert!(!output.success && output.text.contains("TS2741"), "{}", output.text);
}

#[test]
fn a_registry_without_events_has_types() {
    let registry = RegistryInfo::new("Empty", Vec::new(), Vec::new());
    let output = compiled_with(&registry, "export const all: shop.AnyEvent[] = [];\n");
    assert!(output.success, "{}", output.text);
}

#[test]
fn no_type_of_an_odd_schema_is_narrower() {
    let registry = odd::registry();
    let mut program = String::new();
    let mut count = 0;
    for (event, odd) in registry.events.iter().zip(odd::all()) {
        let schema = (odd.schema)().to_value();
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        for value in odd.values.iter().filter(|value| validator.is_valid(value)) {
            let version = event.version;
            writeln!(program, "const v{count}: shop.OrderPlacedV{version} = {value};")
                .expect("text");
            count += 1;
        }
    }
    assert!(count > 30, "{count} values");
    let output = compiled_with(&registry, &program);
    assert!(output.success, "{}", output.text);
}

#[test]
fn types_of_odd_schemas_say_what_they_can() {
    let types = typescript::declarations(&odd::registry());
    for expected in [
        "V1 = unknown;",
        "V2 = never;",
        "V3 = unknown;",
        "V4 = {\n  a: unknown;\n};",
        "V5 = number;",
        "V6 = \"a\";",
        "V7 = 1 | -0.5 | \"x\" | null | true | [1, \"a\"] | {\n  k: [];\n} | number;",
        "V8 = [string, number?, ...boolean[]];",
        "V9 = [unknown?];",
        "V10 = [];",
        "V11 = [];",
        "V12 = {\n  a?: number;\n  [key: string]: unknown;\n};",
        "V17Chain = unknown;",
        "V18 = {\n  a?: unknown;\n};",
        "V19 = { [key: string]: unknown } & {\n  a?: unknown;\n};",
    ] {
        let expected = format!("\nexport type OrderPlaced{expected}\n");
        assert!(types.contains(&expected), "without {expected:?}:\n{types}");
    }
}

#[test]
fn people_read_their_own_comments() {
    let types = typescript::declarations(&shop());
    for expected in [
        " * It says `*\\/` and `/*`, \"quotes\", `\\`, <b>tags</b>, @at, ${dollar} and ünïcödé 🦀.\n",
        "  /** A note, or none. *\\/ Not the end of a comment. */\n  note: string | null;\n",
        "   * An integer of 64 bits or more: beyond 2^53 a JavaScript number is not exact.\n",
        " * @deprecated This version is not emitted any more.\n",
        "  \"content-type\": string;\n",
        "  type: OrderPlacedV2Channel;\n",
        "  place: [number, number];\n  ",
    ] {
        assert!(types.contains(expected), "without {expected:?}:\n{types}");
    }
}

#[test]
fn whatever_holds_wide_integers_says_so() {
    let types = typescript::declarations(&odd::one(|| {
        schemars::json_schema!({
            "type": "object",
            "properties": {
                "pair": { "type": "array", "prefixItems": [{ "format": "int64" }], "items": false },
                "by_number": { "type": "object", "patternProperties": { "^1": { "format": "uint64" } } },
                "by_name": { "type": "object", "additionalProperties": { "format": "uint128" } },
                "small": { "type": "array", "prefixItems": [{ "format": "int32" }] },
            },
        })
    }));
    let notes = types.matches("/** An integer of 64 bits or more: beyond 2^53").count();
    assert_eq!(notes, 3, "{types}");
}
