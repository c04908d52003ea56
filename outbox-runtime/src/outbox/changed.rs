//! Changing rows and emitting one event per changed row: no row changed, no event.

use std::marker::PhantomData;
use std::sync::Arc;

use serde_json::value::RawValue;
use sqlx::{Arguments, Encode, Type};

use super::{Outbox, limits};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Emittable, Emitted, Event};
use crate::headers::{Cause, Headers};
use crate::registry::{ListedIn, Registry};
use crate::store::{Backend, ChangeStatement, ChangedRow, Store};
use crate::tx::InTransaction;

/// A row that was changed, and where its event went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changed<E> {
    /// The event: what the statement returned for the row.
    pub event: E,
    /// Where it went.
    pub emitted: Emitted,
}

/// A statement that changes rows and emits one event for each; made by
/// [`Outbox::emit_changed`].
#[must_use = "nothing happens until `run` is called"]
pub struct EmitChanged<'o, R, DB: Backend, E> {
    outbox: &'o Outbox<R, DB>,
    sql: &'static str,
    arguments: DB::Arguments,
    key_column: Option<&'static str>,
    refused: Option<Error>,
    event: PhantomData<fn() -> E>,
}

impl<R: Registry, DB: Backend> Outbox<R, DB> {
    /// Changes rows and emits one event of type `E` per changed row, in the caller's transaction.
    /// `sql` is an `insert`, `update` or `delete` with a `returning` clause whose columns are the
    /// event's fields. On Postgres it is one statement and one round trip.
    ///
    /// ```no_run
    /// # #[cfg(feature = "postgres")] {
    /// # use outbox_runtime::{Event, Outbox, Postgres, Registry, Registered, Own};
    /// # #[derive(Event, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    /// # #[event(name = "machine.activated", version = 1, key = id)]
    /// # struct MachineActivated { id: i64, project_id: i64 }
    /// # async fn f<R: Registry + Registered<MachineActivated, Own>>(outbox: Outbox<R, Postgres>)
    /// # -> outbox_runtime::Result<()> {
    /// let mut tx = outbox.begin().await?;
    /// let activated = outbox
    ///     .emit_changed::<MachineActivated, _>(
    ///         "update machine set state = 'active' where project_id = $1 returning id, project_id",
    ///     )
    ///     .bind(7_i64)
    ///     .run(&mut tx)
    ///     .await?;
    /// tx.commit().await?;
    /// # Ok(()) }
    /// # }
    /// ```
    pub fn emit_changed<E, I>(&self, sql: &'static str) -> EmitChanged<'_, R, DB, E>
    where
        E: Event + Emittable + ListedIn<R, I>,
    {
        EmitChanged {
            outbox: self,
            sql,
            arguments: DB::Arguments::default(),
            key_column: E::KEY_PROPERTY,
            refused: None,
            event: PhantomData,
        }
    }
}

impl<R, DB: Backend, E: Event> EmitChanged<'_, R, DB, E> {
    /// Binds the next argument of the statement.
    pub fn bind<'t, T>(mut self, value: T) -> Self
    where
        T: Encode<'t, DB> + Type<DB> + 't,
    {
        if let Err(error) = self.arguments.add(value) {
            self.refused.get_or_insert(limits::refused::<E>(format!("an argument: {error}")));
        }
        self
    }

    /// Takes the events' key from this column, where the event's key is not just a field.
    pub fn key_column(mut self, column: &'static str) -> Self {
        self.key_column = Some(column);
        self
    }

    /// Runs the statement; the rows come back, each with its event's id and position, in the order
    /// of the positions.
    ///
    /// # Errors
    ///
    /// What the database says of the statement. [`ErrorKind::Refused`] when a returned row is not
    /// an `E`, has another key than the `E` that it makes, or breaks a limit: roll back then, the
    /// rows have been changed.
    pub async fn run<T>(self, tx: &mut T) -> Result<Vec<Changed<E>>>
    where
        T: InTransaction<DB> + ?Sized,
    {
        if let Some(refused) = self.refused {
            return Err(refused);
        }
        if E::RETIRED {
            return Err(limits::retired::<E>());
        }
        let mut headers = Headers::default();
        Cause::stamp(&mut headers, tx.cause().map(Arc::as_ref));
        let statement = ChangeStatement {
            sql: self.sql,
            name: E::NAME,
            version: E::VERSION,
            key_column: self.key_column,
            headers,
        };
        let store = &self.outbox.emitter.store;
        let rows = store.append_changed(tx.connection(), statement, self.arguments).await?;
        let changed: Vec<Changed<E>> =
            rows.into_iter().map(|row| self.outbox.read_back(row)).collect::<Result<_>>()?;
        if !changed.is_empty() {
            tx.emitted(E::NAME);
        }
        Ok(changed)
    }
}

impl<R, DB: Backend> Outbox<R, DB> {
    /// The event that a row made, checked like any other.
    fn read_back<E: Event>(&self, row: ChangedRow) -> Result<Changed<E>> {
        let payload: &RawValue = &row.payload;
        let event = E::decode(E::VERSION, payload).map_err(|error| {
            limits::refused::<E>(format!("a returned row does not fit: {error}"))
        })?;
        let key = event.key().map(std::borrow::Cow::into_owned);
        if key != row.key {
            return Err(Error::new(
                ErrorKind::Refused,
                "emit changed rows",
                format!(
                    "`{}`: the key of a returned row is {:?}, that of its event {key:?}; name the \
                     column that holds it with `key_column`",
                    E::NAME,
                    row.key
                ),
            ));
        }
        self.emitter.limits.check::<E>(payload, key.as_deref(), None, &Headers::default())?;
        Ok(Changed { event, emitted: row.emitted })
    }
}
