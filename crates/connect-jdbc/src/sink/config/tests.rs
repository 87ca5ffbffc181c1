use super::*;
use crate::sink::fixtures::config_map;
use expect_test::{Expect, expect};

fn check(pairs: &[(&str, &str)], expected: Expect) {
    let shown = match SinkConfig::read(&config_map(pairs)) {
        Ok(_) => "ok".to_owned(),
        Err(faults) => {
            let lines: Vec<String> =
                faults.iter().map(|(key, message)| format!("{key}: {message}")).collect();
            lines.join("\n")
        }
    };
    expected.assert_eq(&shown);
}

#[test]
fn defaults_are_the_references() {
    let mut shown = String::new();
    for key in DEF.keys {
        shown.push_str(&format!("{} {} {:?}\n", key.name, key.ty.name(), key.default));
    }
    expect![[r#"
        connection.url STRING Required
        connection.user STRING Null
        connection.password PASSWORD Null
        jdbc.credentials.provider.class CLASS Value("io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider")
        connection.attempts INT Value("3")
        connection.backoff.ms LONG Value("10000")
        dialect.name STRING Value("")
        insert.mode STRING Value("insert")
        batch.size INT Value("3000")
        delete.enabled BOOLEAN Value("false")
        table.types LIST Value("TABLE")
        replace.null.with.default BOOLEAN Value("true")
        table.name.format STRING Value("${topic}")
        pk.mode STRING Value("none")
        pk.fields LIST Value("")
        fields.whitelist LIST Value("")
        db.timezone STRING Value("UTC")
        date.timezone STRING Value("DB_TIMEZONE")
        timestamp.fields.list LIST Value("")
        timestamp.precision.mode STRING Value("MICROSECONDS")
        date.calendar.system STRING Value("LEGACY")
        string.output.value.column.name STRING Value("record_value")
        auto.create BOOLEAN Value("false")
        auto.evolve BOOLEAN Value("false")
        quote.sql.identifiers STRING Value("ALWAYS")
        mssql.use.merge.holdlock BOOLEAN Value("true")
        max.retries INT Value("10")
        retry.backoff.ms INT Value("3000")
        trim.sensitive.log BOOLEAN Value("false")
    "#]].assert_eq(&shown);
}

#[test]
fn rules_between_keys() {
    check(&[], expect!["ok"]);
    check(
        &[("insert.mode", "upsert")],
        expect![
            "pk.mode: insert.mode=upsert requires key columns, and pk.mode=none gives none; set pk.mode to record_key, record_value or kafka, or insert.mode to insert"
        ],
    );
    check(&[("insert.mode", "UPSERT"), ("pk.mode", "Kafka")], expect!["ok"]);
    check(
        &[("pk.mode", "kafka"), ("pk.fields", "t,p")],
        expect!["pk.fields: pk.mode=kafka needs no name or exactly three (topic, partition, offset), not 2"],
    );
    check(
        &[("pk.mode", "kafka"), ("pk.fields", "t,p,t")],
        expect!["pk.fields: pk.fields names t twice; remove one of them"],
    );
    check(
        &[("pk.mode", "record_key"), ("pk.fields", "id,")],
        expect!["pk.fields: pk.fields holds an empty name; remove the surplus comma"],
    );
    check(&[("pk.mode", "none"), ("pk.fields", "id,id")], expect!["ok"]);
    check(
        &[("table.name.format", "a..${topic}")],
        expect![
            "table.name.format: Invalid value a..${topic} for configuration table.name.format: it names a table in more than two parts for topic 'topic', but the databases have DATABASE.TABLE (PostgreSQL: SCHEMA.TABLE) only; put the part with dots in back-ticks, e.g. `${topic}`"
        ],
    );
    check(
        &[("fields.whitelist", "a,b,a")],
        expect!["fields.whitelist: fields.whitelist names a twice; remove one of them"],
    );
    check(
        &[("batch.size", "many"), ("max.retries", "-1")],
        expect![[r#"
        batch.size: Invalid value many for configuration batch.size: Not a number of type INT
        max.retries: Invalid value -1 for configuration max.retries: Value must be at least 0"#]],
    );
    check(
        &[("connection.url", "jdbc:oracle:thin:scott/tiger@h"), ("insert.mode", "upsert")],
        expect![[r#"
        pk.mode: insert.mode=upsert requires key columns, and pk.mode=none gives none; set pk.mode to record_key, record_value or kafka, or insert.mode to insert
        connection.url: Invalid value for configuration connection.url: jdbc:oracle: is not supported yet; use jdbc:mariadb://HOST:PORT/DATABASE?key=value (or jdbc:mysql://...), jdbc:postgresql://HOST:PORT/DATABASE?key=value or jdbc:sqlite:/path/to/file.db"#]],
    );
}

#[test]
fn what_is_not_there_yet_is_refused() {
    for (key, value) in [
        ("insert.mode", "update"),
        ("delete.enabled", "true"),
        ("replace.null.with.default", "false"),
        ("db.timezone", "Europe/Berlin"),
        ("timestamp.fields.list", "a"),
        ("timestamp.precision.mode", "NANOSECONDS"),
        ("date.calendar.system", "PROLEPTIC_GREGORIAN"),
        ("string.output.value.column.name", "v"),
        ("trim.sensitive.log", "true"),
        ("dialect.name", "MySqlDatabaseDialect"),
        ("jdbc.credentials.provider.class", "com.example.Provider"),
        ("jdbc.credentials.provider.role", "x"),
    ] {
        let faults = SinkConfig::read(&config_map(&[(key, value)])).unwrap_err();
        assert_eq!(faults.len(), 1, "{key}: {faults:?}");
        assert_eq!(faults[0].0, key);
        assert!(faults[0].1.contains("is not supported yet; remove it"), "{}", faults[0].1);
    }
}

#[test]
fn said_defaults_are_accepted() {
    check(
        &[
            ("insert.mode", "insert"),
            ("delete.enabled", "false"),
            ("replace.null.with.default", "true"),
            ("db.timezone", "UTC"),
            ("date.timezone", "UTC"),
            ("timestamp.fields.list", ""),
            ("dialect.name", ""),
            ("mssql.use.merge.holdlock", "false"),
            ("connection.useSSL", "false"),
        ],
        expect!["ok"],
    );
}

#[test]
fn user_and_password_come_from_their_keys() {
    let config = SinkConfig::read(&config_map(&[
        ("connection.url", "jdbc:mysql://h/d?user=a"),
        ("connection.user", "root"),
        ("connection.password", "s3cret"),
    ]))
    .unwrap();
    let shown = format!("{:?}", config.connection.url);
    assert!(shown.contains("root") && !shown.contains("s3cret"), "{shown}");
    assert_eq!(config.connection.backoff, None);
}
