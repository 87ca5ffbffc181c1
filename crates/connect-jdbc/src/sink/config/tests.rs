use super::*;
use crate::sink::fixtures::config_map;
use expect_test::{Expect, expect};

fn faults(flavor: Flavor, pairs: &[(&str, &str)]) -> String {
    match SinkConfig::read(flavor, &config_map(pairs)) {
        Ok(_) => "ok".to_owned(),
        Err(faults) => {
            let lines: Vec<String> =
                faults.iter().map(|(key, message)| format!("{key}: {message}")).collect();
            lines.join("\n")
        }
    }
}

fn check(pairs: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&faults(Flavor::Confluent, pairs));
}

fn check_aiven(pairs: &[(&str, &str)], expected: Expect) {
    expected.assert_eq(&faults(Flavor::Aiven, pairs));
}

fn aiven(pairs: &[(&str, &str)]) -> SinkConfig {
    SinkConfig::read(Flavor::Aiven, &config_map(pairs)).unwrap()
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
    check(
        &[("insert.mode", "update")],
        expect![
            "pk.mode: insert.mode=update with pk.mode=none would overwrite every row of the table with each record; set pk.mode to record_key, record_value or kafka"
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
    check(&[("delete.enabled", "true"), ("pk.mode", "record_key")], expect!["ok"]);
    check(
        &[("delete.enabled", "true"), ("pk.mode", "record_value")],
        expect![[r#"
            pk.mode: Deletes are only supported for pk.mode record_key
            delete.enabled: Deletes are only supported for pk.mode record_key"#]],
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
}

#[test]
fn rules_for_values() {
    check(
        &[
            ("table.name.format", "a..${topic}"),
            ("exactly.once.enabled", "true"),
            ("exactly.once.table", "a."),
        ],
        expect![[r#"
            table.name.format: Invalid value a..${topic} for configuration table.name.format: 'a..topic', the name of the table for topic 'topic' by the format string 'a..${topic}', names no table: it has an empty part, more than three parts between dots, or a quote that is not closed; names are TABLE, DATABASE.TABLE (PostgreSQL: SCHEMA.TABLE, DATABASE.SCHEMA.TABLE); put a part with dots in back-ticks, e.g. `${topic}`
            exactly.once.table: Invalid value a. for configuration exactly.once.table: 'a.' names no table: it has an empty part, more than three parts between dots, or a quote that is not closed; names are TABLE, DATABASE.TABLE (PostgreSQL: SCHEMA.TABLE, DATABASE.SCHEMA.TABLE); put a part with dots in back-ticks, e.g. `${topic}`"#]],
    );
    check(&[("table.name.format", "db.schema.${topic}"), ("exactly.once.table", "a.")], expect!["ok"]);
    check(
        &[("db.timezone", "Europe/Nowhere"), ("table.types", "TABLE,SYNONYM")],
        expect![[r#"
        table.types: Invalid value TABLE,SYNONYM for configuration table.types: SYNONYM is none of TABLE, PARTITIONED TABLE, VIEW
        db.timezone: Invalid value Europe/Nowhere for configuration db.timezone: Invalid time zone: use a name such as Asia/Seoul, or an offset such as +09:00"#]],
    );
    check(
        &[("table.types", "")],
        expect![
            "table.types: Invalid value  for configuration table.types: At least one value must be specified. Valid values are: TABLE, PARTITIONED TABLE, VIEW"
        ],
    );
    check(
        &[("date.calendar.system", "legacy"), ("schemaless.values", "yes")],
        expect![[r#"
        date.calendar.system: Invalid value legacy for configuration date.calendar.system: String must be one of: LEGACY, PROLEPTIC_GREGORIAN
        schemaless.values: Invalid value yes for configuration schemaless.values: String must be one of (case insensitive): reject, table, infer"#]],
    );
    check(
        &[("dialect.name", "OracleDatabaseDialect")],
        expect![
            "dialect.name: dialect.name=OracleDatabaseDialect does not fit connection.url, which names a database of SqliteDatabaseDialect; remove dialect.name"
        ],
    );
    check(
        &[("dialect.name", "Oracle")],
        expect![
            "dialect.name: Invalid value Oracle for configuration dialect.name: Invalid enumerator; remove it, the dialect follows from connection.url"
        ],
    );
    check(
        &[("connection.url", "jdbc:oracle:thin:scott/tiger@h"), ("insert.mode", "upsert")],
        expect![[r#"
        pk.mode: insert.mode=upsert requires key columns, and pk.mode=none gives none; set pk.mode to record_key, record_value or kafka, or insert.mode to insert
        connection.url: Invalid value for configuration connection.url: jdbc:oracle: is not supported yet; use jdbc:mariadb://HOST:PORT/DATABASE?key=value (or jdbc:mysql://...), jdbc:postgresql://HOST:PORT/DATABASE?key=value or jdbc:sqlite:/path/to/file.db"#]],
    );
    check(
        &[
            ("jdbc.credentials.provider.class", "com.example.Provider"),
            ("jdbc.credentials.provider.role", "x"),
        ],
        expect![[r#"
            jdbc.credentials.provider.class: jdbc.credentials.provider.class=com.example.Provider names a Java class, which cannot run here; remove it and set connection.user and connection.password, with a config provider (${file:..}, ${env:..}) where they are secret
            jdbc.credentials.provider.role: jdbc.credentials.provider.role is for a class of one's own in jdbc.credentials.provider.class; remove it and set connection.user and connection.password"#]],
    );
}

#[test]
fn aivens_rules() {
    check_aiven(&[("insert.mode", "multi")], expect!["ok"]);
    check_aiven(
        &[("pk.mode", "kafka")],
        expect![
            "pk.fields: Primary key fields must be set with three fields (topic, partition, offset) when pkMode is 'kafka'."
        ],
    );
    check_aiven(
        &[("pk.mode", "none"), ("pk.fields", "id")],
        expect!["pk.fields: Primary key fields should not be set when pkMode is 'none'."],
    );
    check_aiven(
        &[("delete.enabled", "true")],
        expect!["delete.enabled: Delete support only works with pk.mode=record_key"],
    );
    check_aiven(
        &[("topics.to.tables.mapping", "a:b,c")],
        expect![
            "topics.to.tables.mapping: Invalid value a:b,c for configuration topics.to.tables.mapping: Invalid topics to tables mapping: 'c' is not TOPIC:TABLE"
        ],
    );
    check_aiven(
        &[("topics.to.tables.mapping", "a:b,a:c")],
        expect![
            "topics.to.tables.mapping: Invalid value a:b,a:c for configuration topics.to.tables.mapping: Invalid topics to tables mapping: it names topic 'a' twice"
        ],
    );
}

#[test]
fn flavors_read_their_own_keys_only() {
    let config = aiven(&[
        ("sql.quote.identifiers", "false"),
        ("table.name.normalize", "true"),
        ("topics.to.tables.mapping", "a.b:shop.orders"),
        ("replace.null.with.default", "false"),
        ("table.types", "VIEW"),
        ("quote.sql.identifiers", "always"),
    ]);
    assert_eq!((config.quoting, config.strings), (Quoting::Never, StringColumns::VarChar256));
    assert_eq!((config.null_with_default, config.string_column), (true, None));
    assert_eq!(config.table_types, TableKind::ALL);
    assert_eq!(config.table_names.table("x.y").unwrap().to_string(), "x_y");
    assert_eq!(config.table_names.table("a.b").unwrap().to_string(), "shop.orders");
    let config = SinkConfig::read(
        Flavor::Confluent,
        &config_map(&[("quote.sql.identifiers", "never"), ("table.types", "view, PARTITIONED TABLE")]),
    );
    let config = config.unwrap();
    assert_eq!((config.quoting, config.strings), (Quoting::Never, StringColumns::Text));
    assert_eq!(config.table_types, [TableKind::View, TableKind::Partitioned]);
    assert_eq!(config.string_column.as_deref(), Some("record_value"));
}

#[test]
fn said_defaults_are_accepted() {
    check(
        &[
            ("insert.mode", "insert"),
            ("delete.enabled", "false"),
            ("table.types", "TABLE"),
            ("db.timezone", "UTC"),
            ("timestamp.fields.list", ""),
            ("dialect.name", "SqliteDatabaseDialect"),
            (
                "jdbc.credentials.provider.class",
                "io.confluent.connect.jdbc.util.DefaultJdbcCredentialsProvider",
            ),
            ("mssql.use.merge.holdlock", "false"),
            ("connection.useSSL", "false"),
        ],
        expect!["ok"],
    );
}

#[test]
fn user_and_password_come_from_their_keys() {
    let config = SinkConfig::read(
        Flavor::Confluent,
        &config_map(&[
            ("connection.url", "jdbc:mysql://h/d?user=a"),
            ("connection.user", "root"),
            ("connection.password", "s3cret"),
        ]),
    )
    .unwrap();
    let shown = format!("{:?}", config.connection.url);
    assert!(shown.contains("root") && !shown.contains("s3cret"), "{shown}");
    assert_eq!(config.connection.backoff, None);
}
