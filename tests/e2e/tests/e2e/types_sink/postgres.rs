//! The matrix on PostgreSQL.

use super::*;
use connect_api::{Decimal, Type};
use std::sync::Arc;
use testkit::{PgDatabase, unique};

impl Bench for PgDatabase {
    async fn execute(&self, sql: &str) -> Result<()> {
        PgDatabase::execute(self, sql).await
    }

    async fn query(&self, sql: &str) -> Result<Rows> {
        PgDatabase::query(self, sql).await
    }

    fn type_of(&self, table: &str) -> String {
        format!(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '{table}'::regclass \
             AND attname = 'c'"
        )
    }
}

fn decimal(digits: &str, scale: i32) -> Value {
    Value::Decimal(Decimal::new(digits.parse::<num_bigint::BigInt>().expect("digits"), scale))
}

fn array(element: Schema) -> Schema {
    Schema::new(Type::Array(Arc::new(element.optional())))
}

fn texts(values: &[&str]) -> Value {
    Value::Array(values.iter().map(|value| Value::from(*value)).collect())
}

#[tokio::test]
async fn postgres_columns_that_the_sink_creates() -> Result<()> {
    let db = PgDatabase::create(&unique("types")).await?;
    let text = || Schema::new(Type::String);
    let cases = vec![
        created("smallint", Schema::new(Type::Int8))
            .good(Value::Int8(i8::MIN), "-128")
            .good(Value::Int8(i8::MAX), "127"),
        created("smallint", Schema::new(Type::Int16))
            .good(Value::Int16(i16::MIN), "-32768")
            .good(Value::Int16(i16::MAX), "32767"),
        created("integer", Schema::new(Type::Int32))
            .good(Value::Int32(i32::MIN), "-2147483648")
            .good(Value::Int32(i32::MAX), "2147483647"),
        created("bigint", Schema::new(Type::Int64))
            .good(Value::Int64(i64::MIN), "-9223372036854775808")
            .good(Value::Int64(i64::MAX), "9223372036854775807"),
        created("real", Schema::new(Type::Float32))
            .good(Value::Float32(0.1), "0.1")
            .good(Value::Float32(-0.0), "-0")
            .good(Value::Float32(f32::MAX), "3.4028235e+38")
            .good(Value::Float32(f32::NAN), "NaN")
            .good(Value::Float32(f32::NEG_INFINITY), "-Infinity"),
        created("double precision", Schema::new(Type::Float64))
            .good(Value::Float64(f64::MAX), "1.7976931348623157e+308")
            .good(Value::Float64(5e-324), "5e-324")
            .good(Value::Float64(f64::NAN), "NaN"),
        created("boolean", Schema::new(Type::Boolean))
            .good(Value::Boolean(false), "f")
            .good(Value::Boolean(true), "t"),
        created("text", text())
            .good("", "")
            .good("it's \\ \"é\" 😀 ? $1 :x", "it's \\ \"é\" 😀 ? $1 :x")
            .good("a\r\n\t ", "a\r\n\t ")
            .bad("a\0b", "NUL character"),
        created("bytea", Schema::new(Type::Bytes))
            .good(Value::Bytes(vec![].into()), "\\x")
            .good(Value::Bytes(vec![0, 255, 39, 92].into()), "\\x00ff275c"),
        created("numeric", Schema::decimal(3))
            .good(decimal("-1", 3), "-0.001")
            .good(decimal("1000", 3), "1.000")
            .good(
                decimal(&"9".repeat(65), 3),
                "99999999999999999999999999999999999999999999999999999999999999.999",
            ),
        created("numeric", Schema::decimal(-2)).good(decimal("-12", -2), "-1200"),
        created("date", Schema::date())
            .good(Value::Date(-719_162), "0001-01-01")
            .good(Value::Date(-719_163), "0001-12-31 BC")
            .good(Value::Date(2_932_897), "10000-01-01")
            .bad(Value::Date(i32::MIN), "is not in the years 4713 BC to 5874897"),
        created("time without time zone", Schema::time())
            .good(Value::Time(0), "00:00:00")
            .good(Value::Time(86_399_999), "23:59:59.999")
            .bad(Value::Time(86_400_000), "is not a time of day"),
        created("timestamp without time zone", Schema::timestamp())
            .good(Value::Timestamp(-62_135_596_800_000), "0001-01-01 00:00:00")
            .good(Value::Timestamp(-1), "1969-12-31 23:59:59.999")
            .good(Value::Timestamp(1_710_000_000_007), "2024-03-09 16:00:00.007")
            .good(Value::Timestamp(253_402_300_800_000), "10000-01-01 00:00:00")
            .bad(Value::Timestamp(i64::MAX), "is not in the years 4713 BC to 294276"),
        created("smallint[]", array(Schema::new(Type::Int8)))
            .good(Value::Array(vec![]), "{}")
            .good(Value::Array(vec![Value::Int8(-1), Value::Null]), "{-1,NULL}"),
        created("bigint[]", array(Schema::new(Type::Int64)))
            .good(Value::Array(vec![Value::Int64(i64::MIN)]), "{-9223372036854775808}"),
        created("real[]", array(Schema::new(Type::Float32)))
            .good(Value::Array(vec![Value::Float32(0.1), Value::Float32(f32::NAN)]), "{0.1,NaN}"),
        created("boolean[]", array(Schema::new(Type::Boolean)))
            .good(Value::Array(vec![Value::Boolean(true), Value::Boolean(false)]), "{t,f}"),
        created("text[]", array(text()))
            .good(texts(&["a\"b,{}", "", "NULL", "é😀"]), "{\"a\\\"b,{}\",\"\",\"NULL\",é😀}"),
        created("bytea[]", array(Schema::new(Type::Bytes)))
            .good(Value::Array(vec![Value::Bytes(vec![0, 255].into())]), "{\"\\\\x00ff\"}"),
        created("numeric[]", array(Schema::decimal(1)))
            .good(Value::Array(vec![decimal("-15", 1), decimal("10", 1)]), "{-1.5,1.0}"),
        created("date[]", array(Schema::date())).good(Value::Array(vec![Value::Date(0)]), "{1970-01-01}"),
        created("time without time zone[]", array(Schema::time()))
            .good(Value::Array(vec![Value::Time(1)]), "{00:00:00.001}"),
        created("timestamp without time zone[]", array(Schema::timestamp()))
            .good(Value::Array(vec![Value::Timestamp(-1)]), "{\"1969-12-31 23:59:59.999\"}"),
    ];
    let mut task = start(&sink_config(&db, &[("date.calendar.system", "PROLEPTIC_GREGORIAN")])).await?;
    check(&db, &mut task, cases).await
}

#[tokio::test]
async fn postgres_columns_that_are_there() -> Result<()> {
    let db = PgDatabase::create(&unique("types")).await?;
    db.execute(
        "CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE SCHEMA shop; \
         CREATE TYPE shop.mood AS ENUM ('glad', 'Sad'); CREATE DOMAIN short AS VARCHAR(3); \
         CREATE DOMAIN positive AS INT CHECK (VALUE > 0); CREATE TYPE pair AS (a INT, b TEXT)",
    )
    .await?;
    let text = || Schema::new(Type::String);
    let id = "6f2b8f0e-1111-4222-8333-444455556666";
    let cases = vec![
        existing("JSON", text()).good("{\"b\": 1,\"a\":2}", "{\"b\": 1,\"a\":2}").bad("{", "SQLSTATE 22P02"),
        existing("JSONB", text())
            .good("{\"b\": 1,\"a\":2}", "{\"a\": 2, \"b\": 1}")
            .bad("", "SQLSTATE 22P02"),
        existing("UUID", text()).good("6F2B8F0E-1111-4222-8333-444455556666", id).bad("x", "SQLSTATE 22P02"),
        existing("shop.mood", text()).good("Sad", "Sad").bad("sad", "SQLSTATE 22P02"),
        existing("shop.mood[]", array(text())).good(texts(&["Sad", "glad"]), "{Sad,glad}"),
        existing("UUID[]", array(text())).good(texts(&[id]), "{6f2b8f0e-1111-4222-8333-444455556666}"),
        existing("JSONB[]", array(text())).good(texts(&["{}"]), "{\"{}\"}"),
        existing("TEXT[]", text()).good("{a,NULL}", "{a,NULL}"),
        existing("TIMESTAMPTZ", text())
            .read("c AT TIME ZONE 'UTC'")
            .good("2024-05-04T10:00:00+02:00", "2024-05-04 08:00:00")
            .good("2024-05-04T10:00:00", "2024-05-04 10:00:00"),
        existing("TIMESTAMPTZ", Schema::timestamp())
            .read("c AT TIME ZONE 'UTC'")
            .good(Value::Timestamp(-1), "1969-12-31 23:59:59.999"),
        existing("TIMESTAMP(0)", Schema::timestamp())
            .good(Value::Timestamp(1_710_000_000_500), "2024-03-09 16:00:01"),
        existing("DATE", Schema::timestamp()).good(Value::Timestamp(86_399_999), "1970-01-01"),
        existing("TIMETZ", Schema::time()).good(Value::Time(1_000), "00:00:01+00"),
        existing("NUMERIC(10,2)", Schema::decimal(4))
            .good(decimal("10050", 4), "1.01")
            .bad(decimal("1000000000000", 4), "SQLSTATE 22003"),
        existing("NUMERIC(10,2)", text())
            .good("12.345", "12.35")
            .good("NaN", "NaN")
            .bad("x", "SQLSTATE 22P02"),
        existing("NUMERIC", Schema::new(Type::Int64)).good(Value::Int64(i64::MAX), "9223372036854775807"),
        existing("DOUBLE PRECISION", Schema::decimal(2)).good(decimal("150", 2), "1.5"),
        existing("MONEY", Schema::decimal(2)).good(decimal("150", 2), "$1.50"),
        existing("SMALLINT", Schema::new(Type::Int64))
            .good(Value::Int64(-32768), "-32768")
            .bad(Value::Int64(32768), "SQLSTATE 22003"),
        existing("BIGINT", Schema::new(Type::Int8)).good(Value::Int8(-1), "-1"),
        existing("BIGINT", text()).good("12", "12").bad("x", "SQLSTATE 22P02"),
        existing("INT", Schema::new(Type::Float64)).good(Value::Float64(2.5), "2"),
        existing("TEXT", Schema::new(Type::Int64)).good(Value::Int64(-5), "-5"),
        existing("TEXT", Schema::new(Type::Boolean)).good(Value::Boolean(true), "true"),
        existing("OID", Schema::new(Type::Int64)).good(Value::Int64(4_294_967_295), "4294967295"),
        existing("BOOLEAN", text()).good("yes", "t").bad("perhaps", "SQLSTATE 22P02"),
        existing("BIT(3)", text()).good("101", "101").bad("1010", "SQLSTATE 22026"),
        existing("VARBIT", text()).good("1010", "1010"),
        existing("INET", text())
            .good("10.0.0.1", "10.0.0.1")
            .good("::1/64", "::1/64")
            .bad("10.0.0", "SQLSTATE 22P02"),
        existing("CIDR", text()).good("10.0.0.0/8", "10.0.0.0/8"),
        existing("MACADDR", text()).good("08002b:010203", "08:00:2b:01:02:03"),
        existing("INTERVAL", text()).good("1 day 2 hours", "1 day 02:00:00"),
        existing("POINT", text()).good("(1,2.5)", "(1,2.5)"),
        existing("INT4RANGE", text()).good("[1,3]", "[1,4)"),
        existing("XML", text()).good("<a/>", "<a/>"),
        existing("TSVECTOR", text()).good("a b", "'a' 'b'"),
        existing("HSTORE", text()).good("a=>1", "\"a\"=>\"1\""),
        existing("pair", text()).good("(1,x)", "(1,x)"),
        existing("CITEXT", text()).read("c || (c = 'AB')").good("Ab", "Abtrue"),
        existing("short", text()).good("abc", "abc").bad("abcd", "SQLSTATE 22001"),
        existing("positive", Schema::new(Type::Int32))
            .good(Value::Int32(1), "1")
            .bad(Value::Int32(0), "SQLSTATE 23514"),
        existing("positive", text()).good("7", "7"),
        existing("VARCHAR(5)", text()).good("é😀345", "é😀345").bad("123456", "SQLSTATE 22001"),
        existing("CHAR(3)", text()).good("ab", "ab ").bad("abcd", "SQLSTATE 22001"),
        existing("\"char\"", text()).good("x", "x"),
        existing("NAME", text()).good("x", "x"),
        existing("BYTEA", text()).refused("SQLSTATE 42804"),
        existing("INT", Schema::new(Type::Boolean)).refused("SQLSTATE 42804"),
    ];
    let mut task = start(&sink_config(&db, &[])).await?;
    check(&db, &mut task, cases).await
}

/// A clock shows the zone of choice; a point in time is the same in every zone.
#[tokio::test]
async fn postgres_instants_and_clocks() -> Result<()> {
    let db = PgDatabase::create(&unique("types")).await?;
    let cases = vec![
        existing("TIMESTAMPTZ", Schema::timestamp())
            .read("extract(epoch from c)")
            .good(Value::Timestamp(1_710_000_000_007), "1710000000.007000"),
        existing("TIMESTAMP", Schema::timestamp())
            .good(Value::Timestamp(1_710_000_000_007), "2024-03-10 01:00:00.007"),
    ];
    let mut task = start(&sink_config(&db, &[("db.timezone", "Asia/Seoul")])).await?;
    check(&db, &mut task, cases).await
}
