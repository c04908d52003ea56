//! A folder of migrations, and a database that they are applied to.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use outbox_codegen::migrations::{Pending, Retire, pending};
use outbox_runtime::migrations::Migrations;
use outbox_runtime::testing::TestDatabase;
use outbox_runtime::{Backend, Postgres, Registry, Sqlite};
use outbox_tests::Db;
use sqlx::Connection;
use sqlx::migrate::Migrator;
use tempfile::TempDir;

/// A database that sqlx's migrator knows.
pub(crate) trait Migrated: Backend + Db {
    async fn migrate(url: &str, folder: &Path) -> Result<()>;
}

macro_rules! migrated {
    ($($db:ty),+) => {
        $(impl Migrated for $db {
            /// On a connection of its own: where a migration fails, sqlx leaves the lock on it.
            async fn migrate(url: &str, folder: &Path) -> Result<()> {
                let mut connection = <$db as sqlx::Database>::Connection::connect(url).await?;
                Migrator::new(folder).await?.run(&mut connection).await?;
                Ok(connection.close().await?)
            }
        })+
    };
}

migrated!(Postgres, Sqlite);

pub(crate) struct Folder {
    folder: TempDir,
    migrations: Migrations,
}

impl Folder {
    pub(crate) fn of<DB: Db>() -> Result<Self> {
        let migrations = if DB::IS_POSTGRES {
            Migrations::postgres("outbox")
        } else {
            Migrations::sqlite("outbox")
        };
        Ok(Self { folder: tempfile::tempdir()?, migrations: migrations? })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn migrations(&self) -> &Migrations {
        &self.migrations
    }

    /// What a registry needs.
    pub(crate) fn pending<R: Registry>(&self) -> Result<Pending> {
        Ok(pending(&R::registry(), &self.migrations, self.path())?)
    }

    /// Writes what a registry needs; returns the names of the files.
    pub(crate) fn generate<R: Registry>(&self, retire: Retire) -> Result<Vec<String>> {
        let files = self.pending::<R>()?.generate(retire, chrono::Utc::now())?;
        let names = files.iter().map(|file| {
            let name = file.file_name().context("a file has a name")?;
            Ok(name.to_string_lossy().into_owned())
        });
        names.collect()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(std::fs::write(self.path().join(name), text)?)
    }

    /// Every file with its text.
    pub(crate) fn files(&self) -> Result<BTreeMap<String, String>> {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(self.path())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            files.insert(name, std::fs::read_to_string(entry.path())?);
        }
        Ok(files)
    }

    /// What `sqlx migrate run` does.
    pub(crate) async fn apply<DB: Migrated>(&self, database: &TestDatabase<DB>) -> Result<()> {
        DB::migrate(database.url(), self.path()).await
    }
}
