//! Where the store's statements run: each on a connection of the pool, or, behind a pooler that gives
//! every transaction another server connection, each in a transaction.
//!
//! What sqlx sends for a query is: parse and describe a statement, wait; bind and execute it, wait. Left
//! to itself it gives the statement a name and keeps it for the connection. A pooler in transaction
//! mode may put another server connection behind ours after each wait that is not inside a transaction:
//! there the name is unknown, or stands for a statement of somebody else. (sqlx names its statements
//! even where its cache has no room for any, so an option of the pool does not help.) Therefore, in
//! this mode, statements have no name and each is inside a transaction, so that both halves reach the
//! same server and nothing is left on it.

use std::ops::{Deref, DerefMut};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::query::{Query, QueryAs, QueryScalar};
use sqlx::{
    Either, Execute, Executor, FromRow, PgConnection, PgPool, Postgres, SqlSafeStr, SqlStr,
    Transaction,
};

use crate::error::{During, Result};
use crate::store::Sql;
use crate::store::connections::{Connections, Dialect};

pub(super) const DIALECT: Dialect = Dialect {
    ask: "select",
    ask_writable: "select 1 / (not (pg_is_in_recovery() or current_setting('transaction_read_only')::bool))::int \
                   -- outbox: an error here means that the server is read-only",
    begin: "begin",
    // In one simple query the two times are the same, unless the transaction began before.
    ask_and_begin: "select 1 / (now() = statement_timestamp())::int \
                    /* outbox: an error here means that the transaction is somebody else's */; begin",
    no: &["22012"],
};

/// The pool, and how it may be used. Statements that read run on a reference to it as on one to a
/// pool; those that write, on [`Sessions::writing`].
#[derive(Clone, Debug)]
pub(super) struct Sessions {
    connections: Connections<Postgres>,
    /// Whether the server connection may change between two transactions.
    pooled: bool,
}

impl Sessions {
    pub(super) fn new(pool: PgPool) -> Self {
        Self { connections: Connections::new(pool, &DIALECT), pooled: false }
    }

    /// For a pooler that gives every transaction another server connection.
    pub(super) fn pooled(self) -> Self {
        Self { pooled: true, ..self }
    }

    pub(super) fn connections(&self) -> &Connections<Postgres> {
        &self.connections
    }

    pub(super) fn connections_mut(&mut self) -> &mut Connections<Postgres> {
        &mut self.connections
    }

    /// A statement that is made for its caller.
    pub(super) fn query_with<'q>(
        &self,
        sql: impl SqlSafeStr,
        arguments: PgArguments,
    ) -> Query<'q, Postgres, PgArguments> {
        sqlx::query_with(sql, arguments).persistent(!self.pooled)
    }

    /// For several statements; nothing of what they do is sure to stay before [`Session::end`]. They
    /// may be in somebody's forgotten transaction, and so must not write.
    pub(super) async fn session(&self) -> sqlx::Result<Session> {
        match self.pooled {
            false => Ok(Session::Connection(self.connections.plain().await?)),
            true => Ok(Session::Transaction(self.begin().await?)),
        }
    }

    /// The same, in nobody else's transaction.
    pub(super) async fn own_session(&self) -> sqlx::Result<Session> {
        match self.pooled {
            false => Ok(Session::Connection(self.connections.asked().await?)),
            true => Ok(Session::Transaction(self.begin().await?)),
        }
    }

    /// Ends a session with what was read in it. Where that turned out to be somebody's forgotten
    /// transaction, it is ended as well.
    pub(super) async fn end_unless_stray<T>(
        &self,
        session: Session,
        read: Result<T>,
        operation: &'static str,
    ) -> Result<T> {
        match read {
            Ok(read) => session.end().await.during(operation).map(|()| read),
            Err(error) => {
                if error.is_stray() {
                    self.connections.tell_of_stray();
                    session.discard();
                }
                Err(error)
            }
        }
    }

    /// For a single statement that writes.
    pub(super) fn writing(&self) -> Each<'_> {
        Each { sessions: self, own: true }
    }

    /// Begins a transaction, on a task of its own: a `Pool::begin` that is dropped half-way can
    /// leave a connection with an open transaction in sqlx's pool.
    pub(super) async fn begin(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        self.connections.begin().await
    }

    /// The same, with a statement that begins it.
    pub(super) async fn begin_with(
        &self,
        statement: &'static str,
    ) -> sqlx::Result<Transaction<'static, Postgres>> {
        self.connections.begin_with(statement).await
    }
}

/// Several statements on one server connection.
pub(super) enum Session {
    Connection(PoolConnection<Postgres>),
    Transaction(Transaction<'static, Postgres>),
}

impl Session {
    /// Keeps what was done.
    pub(super) async fn end(self) -> sqlx::Result<()> {
        match self {
            Self::Connection(_) => Ok(()),
            Self::Transaction(tx) => tx.commit().await,
        }
    }

    /// Keeps nothing, the connection neither, and so ends whatever transaction it was in.
    pub(super) fn discard(self) {
        match self {
            Self::Connection(mut connection) => connection.close_on_drop(),
            Self::Transaction(tx) => drop(tx),
        }
    }
}

impl Deref for Session {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Connection(connection) => connection,
            Self::Transaction(tx) => tx,
        }
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Connection(connection) => connection,
            Self::Transaction(tx) => tx,
        }
    }
}

/// Each statement by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Each<'c> {
    sessions: &'c Sessions,
    /// Whether in nobody else's transaction.
    own: bool,
}

impl Each<'_> {
    async fn session(self) -> sqlx::Result<Session> {
        match self.own {
            false => self.sessions.session().await,
            true => self.sessions.own_session().await,
        }
    }
}

impl<'c> Executor<'c> for Each<'c> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        stream::once(async move {
            let mut session = self.session().await?;
            let found: Vec<_> = session.fetch_many(query).try_collect().await?;
            session.end().await?;
            Ok::<_, sqlx::Error>(stream::iter(found.into_iter().map(Ok)))
        })
        .try_flatten()
        .boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let mut session = self.session().await?;
            let found = session.fetch_optional(query).await?;
            session.end().await?;
            Ok(found)
        })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        self.sessions.connections.pool().prepare_with(sql, parameters)
    }
}

/// Each statement by itself, and none that writes.
impl<'c> Executor<'c> for &'c Sessions {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Each { sessions: self, own: false }.fetch_many(query)
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Each { sessions: self, own: false }.fetch_optional(query)
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        Each { sessions: self, own: false }.prepare_with(sql, parameters)
    }
}

/// A statement of the store, named on the server unless it must not be.
pub(super) fn query<'q>(sql: &Sql) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(sql.safe()).persistent(sql.may_be_named())
}

/// The same, for rows.
pub(super) fn query_as<'q, O>(sql: &Sql) -> QueryAs<'q, Postgres, O, PgArguments>
where
    O: for<'r> FromRow<'r, PgRow>,
{
    sqlx::query_as(sql.safe()).persistent(sql.may_be_named())
}

/// The same, for single values.
pub(super) fn query_scalar<'q, O>(sql: &Sql) -> QueryScalar<'q, Postgres, O, PgArguments>
where
    (O,): for<'r> FromRow<'r, PgRow>,
{
    sqlx::query_scalar(sql.safe()).persistent(sql.may_be_named())
}

/// A statement that is run once and therefore never needs a name.
pub(super) fn once<'q>(sql: impl SqlSafeStr) -> Query<'q, Postgres, PgArguments> {
    sqlx::query(sql).persistent(false)
}

/// The same, for single values.
pub(super) fn once_scalar<'q, O>(sql: impl SqlSafeStr) -> QueryScalar<'q, Postgres, O, PgArguments>
where
    (O,): for<'r> FromRow<'r, PgRow>,
{
    sqlx::query_scalar(sql).persistent(false)
}
