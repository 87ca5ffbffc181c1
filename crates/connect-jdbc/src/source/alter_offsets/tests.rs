use super::super::config::Flavor;
use super::*;
use serde_json::json;

fn config(mode: &str, subject: (&str, &str)) -> SourceConfig {
    let pairs = [
        ("connection.url", "jdbc:mariadb://h/mydb"),
        ("topic.prefix", "t"),
        ("mode", mode),
        ("incrementing.column.name", "id"),
        ("timestamp.column.name", "ts"),
        subject,
    ];
    let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    SourceConfig::read(Flavor::Confluent, &pairs.collect()).unwrap()
}

fn checked(config: &SourceConfig, partition: &Json, offset: &Json) -> Result<(), String> {
    let offset = offset.as_object().cloned();
    let offsets = [(partition.as_object().unwrap().clone(), offset)];
    check(config, &offsets).map_err(|error| error.to_string())
}

#[test]
fn what_a_task_can_go_on_from_is_taken() {
    let tables = ("table.whitelist", "users");
    let full = json!({"protocol": "1", "table": "mydb.users"});
    for (mode, partition, offset) in [
        ("incrementing", &full, json!({"incrementing": 7})),
        ("incrementing", &json!({"table": "users"}), json!({"incrementing": -1})),
        ("timestamp", &full, json!({"timestamp": 5, "timestamp_nanos": 999_999_999})),
        ("timestamp+incrementing", &full, json!({"incrementing": 7, "timestamp": 5, "timestamp_nanos": 0})),
        ("bulk", &json!({"anything": 1}), Json::Null),
    ] {
        assert_eq!(checked(&config(mode, tables), partition, &offset), Ok(()), "{mode} {offset}");
    }
    let query = config("incrementing", ("query", "select * from users"));
    assert_eq!(checked(&query, &json!({"query": "query"}), &json!({"incrementing": 7})), Ok(()));
}

#[test]
fn what_no_task_could_go_on_from_is_refused() {
    let tables = ("table.whitelist", "users");
    let (full, seven) = (json!({"protocol": "1", "table": "mydb.users"}), json!({"incrementing": 7}));
    for (mode, partition, offset, message) in [
        ("incrementing", &json!({"query": "query"}), &seven, "the partition of a table is"),
        ("incrementing", &json!({"protocol": "2", "table": "a"}), &seven, "the partition of a table is"),
        (
            "incrementing",
            &json!({"protocol": 1, "table": "a"}),
            &seven,
            "every value of a partition is a text",
        ),
        (
            "incrementing",
            &json!({"protocol": "1", "table": "a", "x": "y"}),
            &seven,
            "the partition of a table is",
        ),
        ("incrementing", &full, &json!({"incrementing": "7"}), r#"incrementing is a whole number, not "7""#),
        ("incrementing", &full, &json!({"timestamp": 7}), "incrementing is missing"),
        ("timestamp", &full, &json!({"timestamp": 7, "timestamp_nanos": -1}), "from 0 to 999999999, not -1"),
        ("timestamp", &full, &json!({"timestamp": 7, "position": 1}), "position is none of"),
        ("bulk", &full, &seven, "mode=bulk keeps no offsets"),
    ] {
        let error = checked(&config(mode, tables), partition, offset).unwrap_err();
        assert!(error.contains(message), "{error}");
    }
    let query = config("incrementing", ("query", "select * from users"));
    assert!(checked(&query, &full, &seven).unwrap_err().contains(r#"{"query":"query"}"#));
}
