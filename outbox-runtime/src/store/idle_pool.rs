//! For tests of what is kept away from the pool: a pool whose connections are all open and idle.

use std::time::Duration;

use sqlx::{PgConnection, PgPool, Postgres};
use tokio::time::{sleep, timeout};

use super::connections::Connections;
use super::{Backend, Store};
use crate::testing::TestDatabase;

pub(super) const DEADLINE: Duration = Duration::from_secs(30);

pub(super) struct IdlePool {
    pub(super) connections: Connections<Postgres>,
    database: TestDatabase<Postgres>,
}

impl IdlePool {
    /// Of so many connections.
    pub(super) async fn of(count: u32) -> Self {
        let database = TestDatabase::<Postgres>::with_connections(count).await.unwrap();
        let connections =
            Connections::new(database.pool().clone(), <Postgres as Backend>::Store::DIALECT);
        let idle = Self { connections, database };
        let mut open = Vec::new();
        for _ in 0..count {
            open.push(idle.connections.asked().await.unwrap());
        }
        drop(open);
        idle.all_are_idle().await;
        idle
    }

    pub(super) fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    /// Waits until all connections are in the pool.
    pub(super) async fn all_are_idle(&self) {
        let all = self.pool().options().get_max_connections() as usize;
        let idle = async {
            while self.pool().num_idle() != all {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(DEADLINE, idle).await.expect("they are given back");
    }

    /// Ends a process of the server.
    pub(super) async fn terminate(&self, process: i32) {
        let end = sqlx::query("select pg_terminate_backend($1, 10000)").bind(process);
        end.execute(self.pool()).await.unwrap();
    }
}

/// The process of the server that is behind a connection.
pub(super) async fn process(connection: &mut PgConnection) -> sqlx::Result<i32> {
    sqlx::query_scalar("select pg_backend_pid()").fetch_one(connection).await
}
