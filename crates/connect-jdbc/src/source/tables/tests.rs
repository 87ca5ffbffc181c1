use super::*;
use crate::dialect::Quoting;
use crate::driver::source_dialect;

fn url(text: &str) -> JdbcUrl {
    JdbcUrl::parse(text, &[]).unwrap()
}

fn table(catalog: Option<&str>, schema: Option<&str>, name: &str) -> SourceTable {
    SourceTable { catalog: catalog.map(Into::into), schema: schema.map(Into::into), name: name.into() }
}

#[track_caller]
fn check(jdbc: &str, quoting: Quoting, tables: &[SourceTable], text: &str) {
    let dialect = source_dialect(&url(jdbc), quoting);
    assert_eq!(write_tables(tables, &*dialect), text);
    assert_eq!(read_tables(text, &url(jdbc)).as_deref(), Ok(tables));
}

#[test]
fn tables_are_written_as_in_java_and_read_again() {
    let (mysql, postgres) = ("jdbc:mariadb://h/mydb", "jdbc:postgresql://h/shop");
    let always = Quoting::Always;
    check(mysql, always, &[], "");
    check(
        mysql,
        always,
        &[table(Some("mydb"), None, "users"), table(Some("mydb"), None, "a,b.c`d")],
        "`mydb`.`users`,`mydb`.`a,b.c``d`",
    );
    check(postgres, always, &[table(None, Some("public"), "Users")], r#""public"."Users""#);
    check(
        "jdbc:sqlite:/tmp/x.db",
        always,
        &[table(None, None, "users"), table(None, None, "t")],
        r#""users","t""#,
    );
    check(mysql, Quoting::Never, &[table(Some("mydb"), None, "users")], "mydb.users");
    // With the database too, and with a person's blanks.
    assert_eq!(
        read_tables(r#""shop"."public"."a" , b"#, &url(postgres)),
        Ok(vec![table(Some("shop"), Some("public"), "a"), table(None, None, "b")])
    );
}

#[test]
fn what_is_no_list_of_tables_is_refused() {
    for text in ["`a", "a..b", "a.", ".a", "`a`b", "a.b.c.d", ",a"] {
        assert!(read_tables(text, &url("jdbc:mariadb://h/mydb")).is_err(), "{text}");
    }
}

#[test]
fn offsets_know_full_names() {
    assert_eq!(table(Some("mydb"), None, "users").full_name(), "mydb.users");
    assert_eq!(table(None, Some("public"), "users").full_name(), "public.users");
    assert_eq!(table(None, None, "users").full_name(), "users");
}
