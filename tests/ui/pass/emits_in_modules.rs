//! Visibility, raw identifiers, names that generated code might clash with, and `macro_rules`.

mod api {
    pub(crate) mod orders {
        use outbox_runtime::{Error, OutboxTx, Sqlite, emits};

        #[emits(name = "place", input(fail, input, open, output, event, returned, error))]
        #[allow(clippy::too_many_arguments)]
        pub(in crate::api) async fn place(
            mut tx: OutboxTx<Sqlite>,
            fail: u8,
            input: u8,
            open: u8,
            output: u8,
            event: u8,
            returned: u8,
            error: u8,
        ) -> Result<u8, Error> {
            sqlx::query("select 1").execute(&mut *tx).await.ok();
            Ok(fail + input + open + output + event + returned + error)
        }

        #[outbox_runtime::emits(name = "try", key = input.r#type, input(r#type, r#move))]
        pub(crate) async fn r#try(
            r#struct: &mut outbox_runtime::Tx<'_, Sqlite>,
            r#type: String,
            r#move: u8,
        ) -> outbox_runtime::Result<u8> {
            let _ = (r#struct, &r#type);
            Ok(r#move)
        }
    }

    pub(crate) fn registered() -> [&'static str; 2] {
        use outbox_runtime::EmittingHandler;
        let _ = (orders::place, orders::r#try);
        [orders::place::NAME, orders::r#try::NAME]
    }

    pub(crate) fn key() -> Option<String> {
        use outbox_runtime::Event;
        let input = orders::TryInput { r#type: "a".to_owned(), r#move: 1 };
        let json = serde_json::to_string(&input).unwrap();
        assert_eq!(json, r#"{"type":"a","move":1}"#);
        orders::TryEvent { input, output: 1 }.key().map(|key| key.into_owned())
    }
}

macro_rules! handler {
    (
        $name:ident, $wire:literal, $tx:ident, $argument:ident: $type:ty, $returned:ty,
        $key:expr, $skipped:expr, $body:expr
    ) => {
        #[outbox_runtime::emits(
            name = $wire,
            key = $key,
            input($argument, inner),
            skip($skipped),
            output = $returned,
            derive(Debug)
        )]
        async fn $name(
            mut $tx: outbox_runtime::OutboxTx<outbox_runtime::Sqlite>,
            $argument: $type,
            inner: u8,
        ) -> Result<$returned, outbox_runtime::Error> {
            sqlx::query("select 1").execute(&mut *$tx).await.ok();
            let _ = inner;
            $body
        }
    };
}

#[derive(Debug, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Order {
    id: u64,
    card: String,
}

handler!(
    by_macro, "by.macro", tx, order: Order, Vec<u8>, output.len(), input.order.card, {
        drop(order);
        Ok(vec![1, 2])
    }
);

macro_rules! own {
    ($event:ident, $path:path, $with:expr) => {
        #[outbox_runtime::emits($event, with = $with)]
        async fn own_ident(
            _tx: outbox_runtime::OutboxTx<outbox_runtime::Sqlite>,
        ) -> Result<(), outbox_runtime::Error> {
            Ok(())
        }

        #[outbox_runtime::emits($path, with = $with)]
        async fn own_path(
            _tx: outbox_runtime::OutboxTx<outbox_runtime::Sqlite>,
        ) -> Result<(), outbox_runtime::Error> {
            Ok(())
        }
    };
}

#[derive(outbox_runtime::Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[event(name = "own")]
struct Own {}

own!(Own, crate::Own, || Own {});

fn main() {
    use outbox_runtime::Event;

    assert_eq!(api::registered(), ["place", "try"]);
    assert_eq!(api::key().as_deref(), Some("a"));
    let input = ByMacroInput { order: Order::default(), inner: 1 };
    assert_eq!(ByMacroEvent { input, output: vec![1, 2] }.key().as_deref(), Some("2"));
    let _ = (by_macro, own_ident, own_path);
}
