//! `crate = path` finds the runtime where it is re-exported, even beside names from the prelude.

mod toolkit {
    pub use outbox_runtime as outbox;

    /// A framework's own macro.
    #[macro_export]
    macro_rules! command {
        ($name:ident, $wire:literal) => {
            #[outbox_runtime::emits(name = $wire, crate = $crate::toolkit::outbox, input(id))]
            async fn $name(
                _tx: $crate::toolkit::outbox::OutboxTx<$crate::toolkit::outbox::Sqlite>,
                id: u64,
            ) -> std::result::Result<(), $crate::toolkit::outbox::Error> {
                let _ = id;
                Ok(())
            }
        };
    }
}

use toolkit::outbox::{Error, OutboxTx, Sqlite, emits};

#[allow(dead_code)]
type Option = ();
#[allow(dead_code)]
type Vec = ();
#[allow(dead_code)]
type String = ();

#[emits(name = "a", crate = toolkit::outbox, key = output, input(id, name), skip(output.secret))]
async fn place(
    _tx: OutboxTx<Sqlite>,
    id: u64,
    name: &str,
) -> std::result::Result<Output, Error> {
    let _ = (id, name);
    Ok(Output { secret: 0 })
}

#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Output {
    secret: u8,
}

impl toolkit::outbox::EventKey for Output {
    fn to_key(&self) -> std::option::Option<std::borrow::Cow<'_, str>> {
        None
    }
}

command!(run, "run");

fn main() {
    use toolkit::outbox::Event;

    let input = PlaceInput { id: 1, name: "a".to_owned() };
    assert_eq!(PlaceEvent { input, output: Output { secret: 1 } }.key(), None);
    assert_eq!(RunEvent { input: 1 }.input, 1);
    let _ = (place, run);
}
