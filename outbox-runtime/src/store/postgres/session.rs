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

use std::future::Future;
use std::ops::{Deref, DerefMut};

use sqlx::postgres::{PgArguments, PgQueryResult, PgRow};
use sqlx::query::{Query, QueryAs, QueryScalar};
use sqlx::{Execute, Executor, FromRow, PgConnection, PgPool, Postgres, SqlSafeStr};

use crate::error::{During, Result};
use crate::store::Sql;
use crate::store::connections::{Connections, Dialect};
use crate::store::line::{Held, Line};
use crate::store::loan::{GIVING_BACK, Loan, Transaction};

pub(super) const DIALECT: Dialect = Dialect {
    ask: "select",
    ask_writable: "select 1 / (not (pg_is_in_recovery() or current_setting('transaction_read_only')::bool))::int \
                   -- outbox: an error here means that the server is read-only",
    begin: "begin",
    // In one simple query the two times are the same, unless the transaction began before.
    ask_and_begin: "select 1 / (now() = statement_timestamp())::int \
                    /* outbox: an error here means that the transaction is somebody else's */; begin",
    begun_within: Some(GIVING_BACK),
    busy: &[],
    no: &["22012"],
};

/// Behind a pooler, whoever begins waits for a connection to the server.
const POOLED: Dialect = Dialect { begun_within: None, ..DIALECT };

/// The pool, and how it may be used: see [`Statement`].
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
    pub(super) fn pooled(mut self) -> Self {
        self.connections.speak(&POOLED);
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

    /// As [`session`](Self::session), by a line.
    pub(super) async fn session_on(&self, line: &Line<Postgres>) -> sqlx::Result<Session> {
        self.on_line(line, false).await
    }

    /// As [`own_session`](Self::own_session), by a line.
    pub(super) async fn own_session_on(&self, line: &Line<Postgres>) -> sqlx::Result<Session> {
        self.on_line(line, true).await
    }

    async fn on_line(&self, line: &Line<Postgres>, own: bool) -> sqlx::Result<Session> {
        match self.pooled {
            false => {
                let held = self.connections.on_line(line, own).await?;
                Ok(Session::OnLine {
                    held,
                    line: line.clone(),
                    connections: self.connections.clone(),
                })
            }
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
    pub(super) async fn begin(&self) -> sqlx::Result<Transaction<Postgres>> {
        self.connections.begin().await
    }

    /// The same, with a statement that begins it.
    pub(super) async fn begin_with(
        &self,
        statement: &'static str,
    ) -> sqlx::Result<Transaction<Postgres>> {
        self.connections.begin_with(statement).await
    }
}

/// Several statements on one server connection.
pub(super) enum Session {
    Connection(Loan<Postgres>),
    /// Kept for the next one of the line, if all goes well.
    OnLine {
        held: Held<Postgres>,
        line: Line<Postgres>,
        connections: Connections<Postgres>,
    },
    Transaction(Transaction<Postgres>),
}

impl Session {
    /// Keeps what was done.
    pub(super) async fn end(self) -> sqlx::Result<()> {
        match self {
            Self::Connection(_) => Ok(()),
            Self::OnLine { held, line, connections } => {
                connections.keep_on(&line, held);
                Ok(())
            }
            Self::Transaction(tx) => tx.commit().await,
        }
    }

    /// A statement has drawn a transaction id: if that was in somebody's forgotten transaction, it is to be
    /// ended before anybody else goes on in it.
    pub(super) fn drew_id(&mut self, connections: &Connections<Postgres>) {
        if let Self::Connection(connection) = self {
            connections.ask_when_given_back(connection);
        }
    }

    /// Keeps nothing, the connection neither, and so ends whatever transaction it was in.
    pub(super) fn discard(self) {
        match self {
            Self::Connection(connection) => connection.discard(),
            Self::OnLine { held, .. } => held.discard(),
            Self::Transaction(tx) => drop(tx),
        }
    }
}

impl Deref for Session {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Connection(connection) => connection,
            Self::OnLine { held, .. } => held,
            Self::Transaction(tx) => tx,
        }
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Connection(connection) => connection,
            Self::OnLine { held, .. } => held,
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

impl<'c> From<&'c Sessions> for Each<'c> {
    fn from(sessions: &'c Sessions) -> Self {
        Self { sessions, own: false }
    }
}

/// A statement that runs by itself: on a reference to [`Sessions`], where it must not write, or on
/// [`Sessions::writing`]. (Neither is an `Executor` of sqlx, whose trait has one method more where
/// an application uses sqlx's macros.)
pub(super) trait Statement<'q>: Execute<'q, Postgres> + Sized + Send + 'q {
    /// What a row is read as.
    type Row: Send;

    fn read(row: PgRow) -> sqlx::Result<Self::Row>;

    fn all<'c>(
        self,
        each: impl Into<Each<'c>>,
    ) -> impl Future<Output = sqlx::Result<Vec<Self::Row>>> + Send {
        let each = each.into();
        Box::pin(async move {
            let mut session = each.session().await?;
            let found = session.fetch_all(self).await?;
            session.end().await?;
            found.into_iter().map(Self::read).collect()
        })
    }

    fn optional<'c>(
        self,
        each: impl Into<Each<'c>>,
    ) -> impl Future<Output = sqlx::Result<Option<Self::Row>>> + Send {
        let each = each.into();
        Box::pin(async move {
            let mut session = each.session().await?;
            let found = session.fetch_optional(self).await?;
            session.end().await?;
            found.map(Self::read).transpose()
        })
    }

    fn one<'c>(
        self,
        each: impl Into<Each<'c>>,
    ) -> impl Future<Output = sqlx::Result<Self::Row>> + Send {
        let found = self.optional(each);
        async move { found.await?.ok_or(sqlx::Error::RowNotFound) }
    }

    fn run<'c>(
        self,
        each: impl Into<Each<'c>>,
    ) -> impl Future<Output = sqlx::Result<PgQueryResult>> + Send {
        let each = each.into();
        Box::pin(async move {
            let mut session = each.session().await?;
            let done = session.execute(self).await?;
            session.end().await?;
            Ok(done)
        })
    }
}

impl<'q> Statement<'q> for Query<'q, Postgres, PgArguments> {
    type Row = PgRow;

    fn read(row: PgRow) -> sqlx::Result<PgRow> {
        Ok(row)
    }
}

impl<'q, O> Statement<'q> for QueryAs<'q, Postgres, O, PgArguments>
where
    O: for<'r> FromRow<'r, PgRow> + Send + 'q,
{
    type Row = O;

    fn read(row: PgRow) -> sqlx::Result<O> {
        O::from_row(&row)
    }
}

impl<'q, O> Statement<'q> for QueryScalar<'q, Postgres, O, PgArguments>
where
    O: Send + 'q,
    (O,): for<'r> FromRow<'r, PgRow>,
{
    type Row = O;

    fn read(row: PgRow) -> sqlx::Result<O> {
        <(O,)>::from_row(&row).map(|(value,)| value)
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
