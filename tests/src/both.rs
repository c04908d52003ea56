//! One test, two databases.

/// Makes a test on Postgres and one on SQLite of each function.
#[macro_export]
macro_rules! both {
    ($($test:ident),+ $(,)?) => {
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() -> anyhow::Result<()> {
                super::$test::<outbox_runtime::Postgres>().await
            })+
        }
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() -> anyhow::Result<()> {
                super::$test::<outbox_runtime::Sqlite>().await
            })+
        }
    };
}
