//! The matrix on MariaDB.

use super::*;
use connect_api::{Decimal, Type};
use testkit::{Database, unique};

impl Bench for Database {
    async fn execute(&self, sql: &str) -> Result<()> {
        Database::execute(self, sql).await
    }

    async fn query(&self, sql: &str) -> Result<Rows> {
        Database::query(self, sql).await
    }

    fn type_of(&self, table: &str) -> String {
        format!(
            "SELECT COLUMN_TYPE FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '{table}' AND COLUMN_NAME = 'c'"
        )
    }
}

fn decimal(digits: &str, scale: i32) -> Value {
    Value::Decimal(Decimal::new(digits.parse::<num_bigint::BigInt>().expect("digits"), scale))
}

#[tokio::test]
async fn mariadb_columns_that_the_sink_creates() -> Result<()> {
    let db = Database::create(&unique("types")).await?;
    let nines = "9".repeat(65);
    let longest = Value::Bytes(vec![7; 1024].into());
    let cases = vec![
        created("tinyint(4)", Schema::new(Type::Int8))
            .good(Value::Int8(i8::MIN), "-128")
            .good(Value::Int8(i8::MAX), "127"),
        created("smallint(6)", Schema::new(Type::Int16))
            .good(Value::Int16(i16::MIN), "-32768")
            .good(Value::Int16(i16::MAX), "32767"),
        created("int(11)", Schema::new(Type::Int32))
            .good(Value::Int32(i32::MIN), "-2147483648")
            .good(Value::Int32(i32::MAX), "2147483647"),
        created("bigint(20)", Schema::new(Type::Int64))
            .good(Value::Int64(i64::MIN), "-9223372036854775808")
            .good(Value::Int64(i64::MAX), "9223372036854775807"),
        // As text a FLOAT has six digits; as a DOUBLE it shows what is stored.
        created("float", Schema::new(Type::Float32))
            .read("CAST(c AS DOUBLE)")
            .good(Value::Float32(0.1), "0.10000000149011612")
            .good(Value::Float32(f32::MAX), "3.4028234663852886e38")
            .good(Value::Float32(f32::MIN_POSITIVE), "1.1754943508222875e-38")
            .bad(Value::Float32(f32::NAN), "have no NaN")
            .bad(Value::Float32(f32::NEG_INFINITY), "have no -inf"),
        created("double", Schema::new(Type::Float64))
            .good(Value::Float64(0.1), "0.1")
            // The server has but one zero.
            .good(Value::Float64(-0.0), "0")
            .good(Value::Float64(f64::MAX), "1.7976931348623157e308")
            .good(Value::Float64(f64::MIN_POSITIVE), "2.2250738585072014e-308")
            .bad(Value::Float64(f64::INFINITY), "have no inf"),
        created("tinyint(4)", Schema::new(Type::Boolean))
            .good(Value::Boolean(false), "0")
            .good(Value::Boolean(true), "1"),
        created("text", Schema::new(Type::String))
            .good("", "")
            .good("it's \\ \"é\" 😀 ? :x", "it's \\ \"é\" 😀 ? :x")
            .good("a\0b\r\n\t ", "a\0b\r\n\t ")
            .bad("x".repeat(65_536).as_str(), "SQLSTATE 22001, error 1406: Data too long"),
        created("varbinary(1024)", Schema::new(Type::Bytes))
            .read("CONCAT(LENGTH(c), ':', LEFT(HEX(c), 10))")
            .good(Value::Bytes(vec![].into()), "0:")
            .good(Value::Bytes(vec![0, 255, 39, 92].into()), "4:00FF275C")
            .good(longest, "1024:0707070707")
            .bad(Value::Bytes(vec![7; 1025].into()), "SQLSTATE 22001, error 1406: Data too long"),
        created("decimal(65,3)", Schema::decimal(3))
            .good(decimal("-1", 3), "-0.001")
            .good(decimal("1000", 3), "1.000")
            .good(decimal(&nines, 3), "99999999999999999999999999999999999999999999999999999999999999.999")
            .bad(decimal(&format!("{nines}0"), 3), "SQLSTATE 22003, error 1264: Out of range"),
        created("decimal(65,0)", Schema::decimal(-2)).good(decimal("-12", -2), "-1200"),
        created("date", Schema::date())
            .good(Value::Date(-719_162), "0001-01-01")
            .good(Value::Date(-1), "1969-12-31")
            .good(Value::Date(2_932_896), "9999-12-31")
            .bad(Value::Date(-719_163), "is not in the years 1 to 9999")
            .bad(Value::Date(2_932_897), "is not in the years 1 to 9999"),
        created("time(3)", Schema::time())
            .good(Value::Time(0), "00:00:00.000")
            .good(Value::Time(86_399_999), "23:59:59.999")
            .bad(Value::Time(86_400_000), "is not a time of day")
            .bad(Value::Time(-1), "is not a time of day"),
        created("datetime(3)", Schema::timestamp())
            .good(Value::Timestamp(-62_135_596_800_000), "0001-01-01 00:00:00.000")
            .good(Value::Timestamp(-1), "1969-12-31 23:59:59.999")
            .good(Value::Timestamp(1_710_000_000_007), "2024-03-09 16:00:00.007")
            .good(Value::Timestamp(253_402_300_799_999), "9999-12-31 23:59:59.999")
            .bad(Value::Timestamp(253_402_300_800_000), "is not in the years 1 to 9999"),
    ];
    let mut task = start(&sink_config(&db, &[("date.calendar.system", "PROLEPTIC_GREGORIAN")])).await?;
    check(&db, &mut task, cases).await
}

#[tokio::test]
async fn mariadb_columns_that_are_there() -> Result<()> {
    let db = Database::create(&unique("types")).await?;
    let text = || Schema::new(Type::String);
    let cases = vec![
        existing("BIT(1)", Schema::new(Type::Boolean))
            .read("c+0")
            .good(Value::Boolean(true), "1")
            .good(Value::Boolean(false), "0"),
        existing("BIT(8)", Schema::new(Type::Int16))
            .read("c+0")
            .good(Value::Int16(255), "255")
            .bad(Value::Int16(256), "SQLSTATE 22001, error 1406: Data too long"),
        existing("BIT(64)", Schema::new(Type::Int64))
            .read("c+0")
            .good(Value::Int64(i64::MAX), "9223372036854775807"),
        existing("BIT(12)", Schema::new(Type::Bytes))
            .read("c+0")
            .good(Value::Bytes(vec![15, 255].into()), "4095"),
        existing("YEAR", Schema::new(Type::Int32))
            .good(Value::Int32(1901), "1901")
            .good(Value::Int32(2155), "2155")
            .good(Value::Int32(0), "0000")
            .bad(Value::Int32(1900), "SQLSTATE 22003, error 1264: Out of range"),
        existing("ENUM('a','b')", text()).good("b", "b").bad("c", "error 1265: Data truncated"),
        existing("SET('a','b')", text())
            .good("b,a", "a,b")
            .good("", "")
            .bad("a,x", "error 1265: Data truncated"),
        existing("JSON", text()).good("{\"b\": 1,\"a\":[]}", "{\"b\": 1,\"a\":[]}").bad("{", "error 4025"),
        existing("UUID", text())
            .good("6F2B8F0E-1111-4222-8333-444455556666", "6f2b8f0e-1111-4222-8333-444455556666")
            .bad("6f2b", "SQLSTATE 22007, error 1292: Incorrect uuid value"),
        existing("INET6", text()).good("2001:DB8::1", "2001:db8::1").good("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        existing("DATETIME(6)", Schema::timestamp()).good(Value::Timestamp(-1), "1969-12-31 23:59:59.999000"),
        // The server leaves smaller parts of a second out.
        existing("DATETIME", Schema::timestamp()).good(Value::Timestamp(999), "1970-01-01 00:00:00"),
        existing("TIMESTAMP(3) NULL", Schema::timestamp())
            .read("UNIX_TIMESTAMP(c)")
            .good(Value::Timestamp(1000), "1.000")
            .good(Value::Timestamp(1_710_000_000_007), "1710000000.007")
            .good(Value::Timestamp(2_147_483_647_999), "2147483647.999")
            .bad(Value::Timestamp(2_147_483_648_000), "error 1292: Incorrect datetime value"),
        existing("DATE", Schema::timestamp()).good(Value::Timestamp(86_399_999), "1970-01-01"),
        existing("DATETIME(3)", text())
            .good("2024-02-29 10:00:00.5", "2024-02-29 10:00:00.500")
            .bad("2023-02-29 10:00:00", "SQLSTATE 22007, error 1292: Incorrect datetime value"),
        existing("BIGINT UNSIGNED", Schema::decimal(0))
            .good(decimal("18446744073709551615", 0), "18446744073709551615")
            .bad(decimal("18446744073709551616", 0), "SQLSTATE 22003, error 1264: Out of range")
            .bad(decimal("-1", 0), "SQLSTATE 22003, error 1264: Out of range"),
        existing("BIGINT UNSIGNED", Schema::new(Type::Int64))
            .good(Value::Int64(i64::MAX), "9223372036854775807")
            .bad(Value::Int64(-1), "SQLSTATE 22003, error 1264: Out of range"),
        existing("TINYINT(1)", Schema::new(Type::Boolean)).good(Value::Boolean(true), "1"),
        existing("TINYINT", Schema::new(Type::Int64))
            .good(Value::Int64(-128), "-128")
            .bad(Value::Int64(128), "SQLSTATE 22003, error 1264: Out of range"),
        existing("INT", text()).good("12", "12").bad("x", "error 1366: Incorrect integer value"),
        existing("DECIMAL(10,2)", Schema::decimal(4))
            .good(decimal("10050", 4), "1.01")
            .good(decimal("-999999999900", 4), "-99999999.99")
            .bad(decimal("100000000000000", 4), "Out of range"),
        existing("DECIMAL(20,10)", Schema::new(Type::Float64)).good(Value::Float64(0.1), "0.1000000000"),
        existing("DOUBLE", Schema::new(Type::Float32)).good(Value::Float32(0.1), "0.10000000149011612"),
        existing("VARCHAR(3)", text())
            .good("é😀x", "é😀x")
            .bad("1234", "SQLSTATE 22001, error 1406: Data too long"),
        existing("VARCHAR(3) CHARACTER SET latin1", text())
            .good("é", "é")
            .bad("😀", "error 1366: Incorrect string value"),
        existing("CHAR(3)", text()).good("ab", "ab"),
        existing("VARCHAR(30)", Schema::new(Type::Int64)).good(Value::Int64(-5), "-5"),
        existing("VARCHAR(30)", Schema::decimal(2)).good(decimal("150", 2), "1.50"),
        existing("BINARY(4)", Schema::new(Type::Bytes))
            .read("HEX(c)")
            .good(Value::Bytes(vec![1].into()), "01000000"),
        existing("LONGBLOB", Schema::new(Type::Bytes))
            .read("HEX(c)")
            .good(Value::Bytes(vec![0, 128, 255, 195, 40].into()), "0080FFC328"),
        existing("LONGTEXT", text()).read("LENGTH(c)").good("😀".repeat(100_000).as_str(), "400000"),
        existing("GEOMETRY", text()).refused("has the type geometry"),
        existing("POINT", Schema::new(Type::Bytes)).refused("has the type point"),
    ];
    let mut task = start(&sink_config(&db, &[])).await?;
    check(&db, &mut task, cases).await
}

/// A clock shows the zone of choice; a point in time is the same in every zone.
#[tokio::test]
async fn mariadb_instants_and_clocks() -> Result<()> {
    let db = Database::create(&unique("types")).await?;
    let cases = vec![
        existing("TIMESTAMP(3) NULL", Schema::timestamp())
            .read("UNIX_TIMESTAMP(c)")
            .good(Value::Timestamp(1_710_000_000_007), "1710000000.007"),
        existing("DATETIME(3)", Schema::timestamp())
            .good(Value::Timestamp(1_710_000_000_007), "2024-03-10 01:00:00.007"),
    ];
    let mut task = start(&sink_config(&db, &[("db.timezone", "Asia/Seoul")])).await?;
    check(&db, &mut task, cases).await
}
