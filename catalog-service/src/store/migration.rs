//! The tables, as a list of steps that only grows.

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DbErr, DynIden};
use sea_orm_migration::prelude::*;

pub(super) async fn up(db: &DatabaseConnection) -> Result<(), DbErr> {
    Migrator::up(db, None).await
}

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateTables)]
    }

    /// Not the default name: a schema that another service has to share would otherwise mix up the two histories.
    fn migration_table_name() -> DynIden {
        Alias::new("catalog_migrations").into_iden()
    }
}

struct CreateTables;

impl MigrationName for CreateTables {
    fn name(&self) -> &str {
        "m0001_create_products_and_decisions"
    }
}

#[derive(DeriveIden)]
enum Products {
    Table,
    ProductId,
    Name,
    UnitPrice,
    Qty,
}

#[derive(DeriveIden)]
enum Decisions {
    Table,
    OrderId,
    ProductId,
    Qty,
    Outcome,
    Reason,
    DecidedAt,
}

#[async_trait::async_trait]
// async_trait wants the lifetime elided as the trait elides it
#[allow(elided_lifetimes_in_paths)]
impl MigrationTrait for CreateTables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mysql = manager.get_connection().get_database_backend() == DatabaseBackend::MySql;
        // Names are in any script, whatever the server's default is; ids compare byte by byte.
        let table = |table: &mut TableCreateStatement, collation: &str| {
            table.if_not_exists();
            if mysql {
                table.engine("InnoDB").character_set("utf8mb4").collate(collation);
            }
            table.to_owned()
        };
        let mut products = Table::create();
        products
            .table(Products::Table)
            .col(ColumnDef::new(Products::ProductId).big_integer().not_null().primary_key())
            .col(ColumnDef::new(Products::Name).string_len(200).not_null())
            .col(ColumnDef::new(Products::UnitPrice).big_integer().not_null())
            .col(ColumnDef::new(Products::Qty).big_integer().not_null());
        manager.create_table(table(&mut products, "utf8mb4_general_ci")).await?;
        let mut decisions = Table::create();
        decisions
            .table(Decisions::Table)
            .col(ColumnDef::new(Decisions::OrderId).string_len(36).not_null().primary_key())
            .col(ColumnDef::new(Decisions::ProductId).big_integer().not_null())
            .col(ColumnDef::new(Decisions::Qty).big_integer().not_null())
            .col(ColumnDef::new(Decisions::Outcome).string_len(16).not_null())
            .col(ColumnDef::new(Decisions::Reason).string_len(64))
            .col(ColumnDef::new(Decisions::DecidedAt).big_integer().not_null());
        manager.create_table(table(&mut decisions, "utf8mb4_bin")).await
    }
}
