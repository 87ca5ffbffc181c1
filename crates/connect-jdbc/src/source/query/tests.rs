use super::*;
use crate::dialect::{MySql, Postgres, Quoting, Sqlite, StringColumns};
use expect_test::expect;

fn table(catalog: Option<&str>, schema: Option<&str>, name: &str) -> SourceTable {
    SourceTable { catalog: catalog.map(Into::into), schema: schema.map(Into::into), name: name.into() }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn modes() -> [Criteria; 5] {
    [
        Criteria::Bulk,
        Criteria::Incrementing("id".into()),
        Criteria::Timestamp(names(&["ts"])),
        Criteria::Timestamp(names(&["updated", "created"])),
        Criteria::TimestampIncrementing { timestamps: names(&["ts"]), id: "id".into() },
    ]
}

fn all(dialect: &dyn Dialect, placeholders: Placeholders, from: From<'_>, suffix: &str) -> String {
    let texts = modes().map(|criteria| select(dialect, placeholders, from, &criteria, suffix).sql);
    texts.join("\n")
}

#[test]
fn tables_of_mariadb() {
    let users = table(Some("mydb"), None, "users");
    expect![[r#"
        SELECT * FROM `mydb`.`users`
        SELECT * FROM `mydb`.`users` WHERE `mydb`.`users`.`id` > ? ORDER BY `mydb`.`users`.`id` ASC
        SELECT * FROM `mydb`.`users` WHERE `mydb`.`users`.`ts` > ? AND `mydb`.`users`.`ts` < ? ORDER BY `mydb`.`users`.`ts` ASC
        SELECT * FROM `mydb`.`users` WHERE COALESCE(`mydb`.`users`.`updated`,`mydb`.`users`.`created`) > ? AND COALESCE(`mydb`.`users`.`updated`,`mydb`.`users`.`created`) < ? ORDER BY COALESCE(`mydb`.`users`.`updated`,`mydb`.`users`.`created`) ASC
        SELECT * FROM `mydb`.`users` WHERE `mydb`.`users`.`ts` < ? AND ((`mydb`.`users`.`ts` = ? AND `mydb`.`users`.`id` > ?) OR `mydb`.`users`.`ts` > ?) ORDER BY `mydb`.`users`.`ts`,`mydb`.`users`.`id` ASC"#]]
    .assert_eq(&all(&MySql { quoting: Quoting::Always, strings: StringColumns::Text }, Placeholders::Question, From::Table(&users), ""));
    expect![[r#"
        SELECT * FROM mydb.users LIMIT 5
        SELECT * FROM mydb.users WHERE mydb.users.id > ? ORDER BY mydb.users.id ASC LIMIT 5
        SELECT * FROM mydb.users WHERE mydb.users.ts > ? AND mydb.users.ts < ? ORDER BY mydb.users.ts ASC LIMIT 5
        SELECT * FROM mydb.users WHERE COALESCE(mydb.users.updated,mydb.users.created) > ? AND COALESCE(mydb.users.updated,mydb.users.created) < ? ORDER BY COALESCE(mydb.users.updated,mydb.users.created) ASC LIMIT 5
        SELECT * FROM mydb.users WHERE mydb.users.ts < ? AND ((mydb.users.ts = ? AND mydb.users.id > ?) OR mydb.users.ts > ?) ORDER BY mydb.users.ts,mydb.users.id ASC LIMIT 5"#]]
    .assert_eq(&all(
        &MySql { quoting: Quoting::Never, strings: StringColumns::Text },
        Placeholders::Question,
        From::Table(&users),
        "LIMIT 5",
    ));
}

#[test]
fn tables_of_postgres() {
    let users = table(None, Some("public"), "users");
    expect![[r#"
        SELECT * FROM "public"."users"
        SELECT * FROM "public"."users" WHERE "public"."users"."id" > $1 ORDER BY "public"."users"."id" ASC
        SELECT * FROM "public"."users" WHERE "public"."users"."ts" > $1 AND "public"."users"."ts" < $2 ORDER BY "public"."users"."ts" ASC
        SELECT * FROM "public"."users" WHERE COALESCE("public"."users"."updated","public"."users"."created") > $1 AND COALESCE("public"."users"."updated","public"."users"."created") < $2 ORDER BY COALESCE("public"."users"."updated","public"."users"."created") ASC
        SELECT * FROM "public"."users" WHERE "public"."users"."ts" < $1 AND (("public"."users"."ts" = $2 AND "public"."users"."id" > $3) OR "public"."users"."ts" > $4) ORDER BY "public"."users"."ts","public"."users"."id" ASC"#]]
    .assert_eq(&all(&Postgres { quoting: Quoting::Always }, Placeholders::Numbered, From::Table(&users), ""));
}

#[test]
fn tables_of_sqlite() {
    let users = table(None, None, "odd\"name");
    expect![[r#"
        SELECT * FROM "odd""name"
        SELECT * FROM "odd""name" WHERE "odd""name"."id" > ? ORDER BY "odd""name"."id" ASC
        SELECT * FROM "odd""name" WHERE "odd""name"."ts" > ? AND "odd""name"."ts" < ? ORDER BY "odd""name"."ts" ASC
        SELECT * FROM "odd""name" WHERE COALESCE("odd""name"."updated","odd""name"."created") > ? AND COALESCE("odd""name"."updated","odd""name"."created") < ? ORDER BY COALESCE("odd""name"."updated","odd""name"."created") ASC
        SELECT * FROM "odd""name" WHERE "odd""name"."ts" < ? AND (("odd""name"."ts" = ? AND "odd""name"."id" > ?) OR "odd""name"."ts" > ?) ORDER BY "odd""name"."ts","odd""name"."id" ASC"#]]
    .assert_eq(&all(&Sqlite::for_reading(Quoting::Always), Placeholders::Question, From::Table(&users), ""));
}

#[test]
fn a_query_of_the_user() {
    let query = From::Query("SELECT a.id, b.ts FROM a JOIN b ON a.id = b.a");
    expect![[r#"
        SELECT a.id, b.ts FROM a JOIN b ON a.id = b.a
        SELECT a.id, b.ts FROM a JOIN b ON a.id = b.a WHERE "id" > $1 ORDER BY "id" ASC
        SELECT a.id, b.ts FROM a JOIN b ON a.id = b.a WHERE "ts" > $1 AND "ts" < $2 ORDER BY "ts" ASC
        SELECT a.id, b.ts FROM a JOIN b ON a.id = b.a WHERE COALESCE("updated","created") > $1 AND COALESCE("updated","created") < $2 ORDER BY COALESCE("updated","created") ASC
        SELECT a.id, b.ts FROM a JOIN b ON a.id = b.a WHERE "ts" < $1 AND (("ts" = $2 AND "id" > $3) OR "ts" > $4) ORDER BY "ts","id" ASC"#]]
    .assert_eq(&all(&Postgres { quoting: Quoting::Always }, Placeholders::Numbered, query, ""));
}

#[test]
fn values_stand_in_the_order_of_the_text() {
    let users = table(None, None, "t");
    let binds = modes().map(|criteria| {
        select(
            &Sqlite::for_reading(Quoting::Always),
            Placeholders::Question,
            From::Table(&users),
            &criteria,
            "",
        )
        .binds
    });
    assert_eq!(
        binds,
        [
            vec![],
            vec![Bind::Id],
            vec![Bind::Begin, Bind::End],
            vec![Bind::Begin, Bind::End],
            vec![Bind::End, Bind::Begin, Bind::Id, Bind::Begin],
        ]
    );
}

#[test]
fn parts_of_a_first_read() {
    let users = table(None, Some("public"), "users");
    let dialect = Postgres { quoting: Quoting::Always };
    let range = select_range(&dialect, Placeholders::Numbered, &users, "id", "");
    assert_eq!(
        range.sql,
        r#"SELECT * FROM "public"."users" WHERE "public"."users"."id" > $1 AND "public"."users"."id" <= $2 ORDER BY "public"."users"."id" ASC"#
    );
    assert_eq!(range.binds, [Bind::Id, Bind::LastId]);
    let bounds = select_bounds(&dialect, Placeholders::Numbered, &users, "id");
    assert_eq!(
        bounds.sql,
        r#"SELECT MIN("public"."users"."id"), MAX("public"."users"."id") FROM "public"."users" WHERE "public"."users"."id" > $1"#
    );
    assert_eq!(bounds.binds, [Bind::Id]);
    assert_eq!(select_nothing(&dialect, &users), r#"SELECT * FROM "public"."users" WHERE 1 = 0"#);
}
