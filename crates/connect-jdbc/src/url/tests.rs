use super::*;
use expect_test::{Expect, expect};

fn check(url: &str, expected: Expect) {
    let shown = match JdbcUrl::parse(url, &[]) {
        Ok(JdbcUrl::MySql(url)) => format!(
            "{}:{} db={:?} user={:?} password={:?} timeout={:?} ignored={:?}",
            url.host,
            url.port,
            url.database,
            url.user,
            url.password.map(|password| password.0),
            url.connect_timeout,
            url.ignored
        ),
        Ok(JdbcUrl::Postgres(url)) => format!(
            "{}:{} db={:?} user={:?} password={:?} schema={:?} name={:?} timeouts={:?},{:?} prepare={} ignored={:?}",
            url.host,
            url.port,
            url.database,
            url.user,
            url.password.map(|password| password.0),
            url.current_schema,
            url.application_name,
            url.connect_timeout,
            url.socket_timeout,
            url.prepare,
            url.ignored
        ),
        Ok(JdbcUrl::Sqlite(url)) => format!(
            "{} busy={:?} pragmas={:?} ignored={:?}",
            url.path.display(),
            url.busy_timeout,
            url.pragmas,
            url.ignored
        ),
        Err(error) => format!("error: {error}"),
    };
    expected.assert_eq(&shown);
}

#[test]
fn both_schemes_mean_the_same() {
    for scheme in ["mysql", "mariadb", "MySQL"] {
        check(
            &format!("jdbc:{scheme}://localhost:3307/mydb"),
            expect![[r#"localhost:3307 db=Some("mydb") user=None password=None timeout=None ignored=[]"#]],
        );
    }
}

#[test]
fn parts_may_be_missing() {
    check(
        "jdbc:mysql:///mydb",
        expect![[r#"localhost:3306 db=Some("mydb") user=None password=None timeout=None ignored=[]"#]],
    );
    check(
        "jdbc:mysql://db.example",
        expect![[r#"db.example:3306 db=None user=None password=None timeout=None ignored=[]"#]],
    );
    check(
        "jdbc:mariadb://[::1]:3310/a%20b",
        expect![[r#"::1:3310 db=Some("a b") user=None password=None timeout=None ignored=[]"#]],
    );
}

#[test]
fn parameters_are_honoured_or_listed_as_ignored() {
    check(
        "jdbc:mysql://h/d?user=root&password=p%26w&useSSL=false&rewriteBatchedStatements=true&permitMysqlScheme&connectTimeout=1500",
        expect![[
            r#"h:3306 db=Some("d") user=Some("root") password=Some("p&w") timeout=Some(1.5s) ignored=["useSSL", "rewriteBatchedStatements", "permitMysqlScheme"]"#
        ]],
    );
    check(
        "jdbc:mysql://root:p%40ss@h:1/d",
        expect![[r#"h:1 db=Some("d") user=Some("root") password=Some("p@ss") timeout=None ignored=[]"#]],
    );
}

#[test]
fn parameters_of_mariadb_s_session() {
    let parse = |query: &str| match JdbcUrl::parse(&format!("jdbc:mariadb://h/d?{query}"), &[]) {
        Ok(JdbcUrl::MySql(url)) => Ok(url),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    };
    let plain = parse("").unwrap();
    assert_eq!((plain.socket_timeout, plain.keep_alive, plain.local_infile), (None, true, true));
    let url = parse(
        "socketTimeout=1500&tcpKeepAlive=false&allowLocalInfile=false&serverTimezone=Asia/Seoul&\
         sessionVariables=time_zone='%2B09:00', wait_timeout=5;sql_mode='A,B'",
    )
    .unwrap();
    assert_eq!(
        (url.socket_timeout, url.keep_alive, url.local_infile, url.ignored),
        (
            Some(Duration::from_millis(1500)),
            false,
            false,
            vec!["serverTimezone".to_owned(), "sessionVariables time_zone".to_owned()]
        )
    );
    let variables: Vec<String> =
        url.session_variables.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    assert_eq!(variables, ["wait_timeout = 5", "sql_mode = 'A,B'"]);
    for wrong in ["a", "a=b c", "a='x", "a='\\'", "a=1,, b=2", "a=(SELECT 1)", "@a=1", "a='x' b=1"] {
        let error = parse(&format!("sessionVariables={}", wrong.replace(' ', "%20"))).unwrap_err();
        assert!(error.contains("sessionVariables is not a list"), "{wrong}: {error}");
    }
    assert!(parse("socketTimeout=soon").unwrap_err().contains("socketTimeout is not a number"));
}

#[test]
fn properties_win_over_the_url() {
    let url =
        JdbcUrl::parse("jdbc:mysql://h/d?user=a&password=x", &[("user", "b"), ("password", "y")]).unwrap();
    let JdbcUrl::MySql(url) = url else { panic!("not mysql") };
    assert_eq!((url.user.as_deref(), url.password), (Some("b"), Some(Password("y".into()))));
}

#[test]
fn sqlite() {
    check("jdbc:sqlite:/tmp/a b.db", expect!["/tmp/a b.db busy=5s pragmas=[] ignored=[]"]);
    check(
        "jdbc:sqlite:data.db?journal_mode=WAL&busy_timeout=100&date_class=text",
        expect![[r#"data.db busy=100ms pragmas=[("journal_mode", "wal")] ignored=["date_class"]"#]],
    );
    check(
        "jdbc:sqlite::memory:",
        expect![
            "error: an in-memory database would be lost with its connection; the expected form is jdbc:sqlite:/path/to/file.db"
        ],
    );
    check(
        "jdbc:sqlite:/a.db?journal_mode=x; DROP TABLE t",
        expect!["error: the parameter journal_mode is none of delete, truncate, persist, memory, wal, off"],
    );
}

#[test]
fn malformed_urls_show_the_expected_form() {
    check(
        "mysql://h/d",
        expect![
            "error: the URL does not begin with jdbc:; the expected form is jdbc:mariadb://HOST:PORT/DATABASE?key=value (or jdbc:mysql://...), jdbc:postgresql://HOST:PORT/DATABASE?key=value or jdbc:sqlite:/path/to/file.db"
        ],
    );
    check(
        "jdbc:mysql",
        expect![
            "error: there is no // after the scheme (fail-over and load-balancing modes are not supported); the expected form is jdbc:mariadb://HOST:PORT/DATABASE?key=value (or jdbc:mysql://...)"
        ],
    );
    check(
        "jdbc:mariadb:sequential://a,b/d",
        expect![
            "error: there is no // after the scheme (fail-over and load-balancing modes are not supported); the expected form is jdbc:mariadb://HOST:PORT/DATABASE?key=value (or jdbc:mysql://...)"
        ],
    );
    check(
        "jdbc:oracle:thin:@h:1521",
        expect![
            "error: jdbc:oracle: is not supported yet; use jdbc:mariadb://HOST:PORT/DATABASE?key=value (or jdbc:mysql://...), jdbc:postgresql://HOST:PORT/DATABASE?key=value or jdbc:sqlite:/path/to/file.db"
        ],
    );
    check(
        "jdbc:mysql://h/d?sslMode=VERIFY_CA",
        expect![
            "error: the parameter sslMode asks for TLS, and TLS to the database is not supported yet; remove the parameter only if the network between worker and database is trusted"
        ],
    );
}

#[test]
fn no_error_shows_a_password() {
    for url in [
        "jdbc:mysql://root:s3cret/x@h/d",
        "jdbc:mysql://root:12/s3cret@h/d",
        "jdbc:mysql://root:s3cret@h:port/d",
        "jdbc:mysql://root:s3cret%@h/d",
        "jdbc:mysql://h,h2/d?password=s3cret",
        "jdbc:s3cret://h",
        "jdbc:sqlite:file:x?password=s3cret",
        "jdbc:postgresql://root:s3cret@h/d",
        "jdbc:postgresql://h,h2/d?password=s3cret",
        "jdbc:postgresql://h:s3cret/d",
        "jdbc:postgresql://h/d?password=s3cret&sslmode=require",
        "jdbc:postgresql://h/d?password=s3cret%",
    ] {
        let error = JdbcUrl::parse(url, &[]).expect_err(url).to_string();
        assert!(!error.contains("s3cret"), "{url}: {error}");
        assert!(!format!("{:?}", JdbcUrl::parse("jdbc:mysql://a:s3cret@h/d", &[])).contains("s3cret"));
    }
}

#[test]
fn postgresql() {
    for url in [
        "jdbc:postgresql:shop",
        "jdbc:postgresql://localhost/shop",
        "jdbc:postgresql:///shop",
        "jdbc:PostgreSQL:/shop",
    ] {
        check(
            url,
            expect![[
                r#"localhost:5432 db=Some("shop") user=None password=None schema=None name=None timeouts=None,None prepare=true ignored=[]"#
            ]],
        );
    }
    check(
        "jdbc:postgresql://db.example:5433/",
        expect![
            "db.example:5433 db=None user=None password=None schema=None name=None timeouts=None,None prepare=true ignored=[]"
        ],
    );
    check(
        "jdbc:postgresql://[::1]:5433/a%20b",
        expect![[
            r#"::1:5433 db=Some("a b") user=None password=None schema=None name=None timeouts=None,None prepare=true ignored=[]"#
        ]],
    );
    check(
        "jdbc:postgresql://h/d?user=u%40x&password=p%26w&currentSchema=shop,public&ApplicationName=sink&loginTimeout=3&\
         socketTimeout=60&prepareThreshold=0&reWriteBatchedInserts=true&stringtype=unspecified&sslmode=prefer&ssl=false",
        expect![[
            r#"h:5432 db=Some("d") user=Some("u@x") password=Some("p&w") schema=Some("shop,public") name=Some("sink") timeouts=Some(3s),Some(60s) prepare=false ignored=["reWriteBatchedInserts", "stringtype", "sslmode", "ssl"]"#
        ]],
    );
}

#[test]
fn postgresql_refusals() {
    for (url, says) in [
        ("jdbc:postgresql://u:p@h/d", "connection.password"),
        ("jdbc:postgresql://h1,h2:5433/d", "only one host"),
        ("jdbc:postgresql://h:0/d", "the port is not a number"),
        ("jdbc:postgresql://h/d?ssl=true", "the parameter ssl asks for TLS"),
        ("jdbc:postgresql://h/d?ssl", "the parameter ssl asks for TLS"),
        ("jdbc:postgresql://h/d?sslmode=verify-full", "the parameter sslmode asks for TLS"),
        ("jdbc:postgresql://h/d?sslrootcert=/ca.pem", "the parameter sslrootcert asks for TLS"),
        ("jdbc:postgresql://h/d?socketTimeout=5s", "socketTimeout is not a number of seconds"),
        ("jdbc:postgresql://h/d?options=-c%20search_path=x", "currentSchema"),
        ("jdbc:postgresql://%2Fvar%2Frun/d", "Unix socket"),
    ] {
        let error = JdbcUrl::parse(url, &[]).expect_err(url).to_string();
        assert!(error.contains(says), "{url}: {error}");
    }
}
