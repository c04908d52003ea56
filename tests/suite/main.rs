//! Every behaviour, on both databases: a test is a function that is generic over the database,
//! and `both!` makes two tests of it.

mod consumers;
mod emit;
mod ordered;

/// Makes a test on Postgres and one on SQLite of each function.
macro_rules! both {
    ($($test:ident),+ $(,)?) => {
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() -> outbox_runtime::Result<()> {
                super::$test::<outbox_runtime::Postgres>().await
            })+
        }
        #[cfg(any())]
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() -> outbox_runtime::Result<()> {
                super::$test::<outbox_runtime::Sqlite>().await
            })+
        }
    };
}
pub(crate) use both;
