use super::*;
use crate::source::config::Subject;
use connect_api::ConfigMap;

fn config(pairs: &[(&str, &str)]) -> SourceConfig {
    let base = [("connection.url", "jdbc:mariadb://h/mydb"), ("mode", "bulk"), ("table.blacklist", "none")];
    let pairs = base.iter().chain(pairs).map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    SourceConfig::read(Flavor::Confluent, &pairs.collect::<ConfigMap>()).unwrap()
}

fn table(catalog: Option<&str>, schema: Option<&str>, name: &str) -> SourceTable {
    SourceTable { catalog: catalog.map(Into::into), schema: schema.map(Into::into), name: name.into() }
}

fn takes(pairs: &[(&str, &str)], table: &SourceTable) -> bool {
    let config = config(pairs);
    let Subject::Tables(filter) = &config.subject else { panic!("a query") };
    filter.takes(table, &config.connection.url)
}

#[test]
fn a_table_may_be_named_in_three_ways() {
    let users = table(Some("mydb"), None, "users");
    for (names, wanted) in [
        ("users", true),
        ("a, users", true),
        ("mydb.users", true),
        ("`mydb`.`users`", true),
        ("Users", false),
        ("otherdb.users", false),
        ("`users`", false),
    ] {
        let white = [("table.blacklist", ""), ("table.whitelist", names)];
        assert_eq!(takes(&white, &users), wanted, "{names}");
        assert_eq!(takes(&[("table.blacklist", names)], &users), !wanted, "{names}");
    }
}

#[test]
fn expressions_match_full_names_from_end_to_end() {
    let users = table(Some("mydb"), None, "users");
    for (include, exclude, wanted) in [
        ("mydb[.]users", "", true),
        ("users", "", false),
        (".*", "", true),
        ("a, my.*[.]u.*", "", true),
        (".*", "mydb.users", false),
        (".*", "users", true),
        ("MYDB.USERS", "", false),
        ("(?i)MYDB.USERS", "", true),
    ] {
        let lists =
            [("table.blacklist", ""), ("table.include.list", include), ("table.exclude.list", exclude)];
        assert_eq!(takes(&lists, &users), wanted, "{include} without {exclude}");
    }
}

#[test]
fn only_the_urls_database_is_searched_unless_a_pattern_says_otherwise() {
    let parameters = |database, pairs: &[(&str, &str)]| mysql(&config(pairs), database);
    let query = parameters(Some("mydb"), &[]);
    assert!(query.sql.contains("WHERE TABLE_SCHEMA = ?"), "{}", query.sql);
    assert_eq!(query.parameters, [Parameter::Text("mydb".into())]);
    let query = parameters(Some("mydb"), &[("catalog.pattern", "other_db")]);
    assert!(query.sql.contains("WHERE TABLE_SCHEMA = ?"), "an underscore is one: {}", query.sql);
    assert_eq!(query.parameters, [Parameter::Text("other_db".into())]);
    let query = parameters(Some("mydb"), &[("catalog.pattern", "%")]);
    assert!(query.sql.contains("WHERE TABLE_SCHEMA LIKE ?"), "{}", query.sql);
    let query = parameters(None, &[]);
    assert!(query.sql.contains("NOT IN ('information_schema'"), "{}", query.sql);
    assert!(query.parameters.is_empty());
}

#[test]
fn tables_of_one_name_are_refused() {
    let config = config(&[]);
    let tables =
        [table(Some("a"), None, "users"), table(Some("b"), None, "users"), table(Some("a"), None, "x")];
    let Subject::Tables(filter) = &config.subject else { panic!("a query") };
    let error = refuse_namesakes(&tables, &config, filter).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "The connector uses the unqualified table name as the topic name and has detected duplicate unqualified table names."
        ) && error.ends_with("[[a.users, b.users]]")
            && error.contains("'table.blacklist' config"),
        "{error}"
    );
    assert!(refuse_namesakes(&tables[1..], &config, filter).is_ok());
}
