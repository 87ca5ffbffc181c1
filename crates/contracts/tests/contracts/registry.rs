//! Who may write to the registry: whatever a forger can send comes back as an error.

use contracts::registry::{
    Announcement, LEASE_MS_MAX, RegistryError, RegistryRecord, check_url, record_key, sign, verify,
};
use uuid::{Uuid, uuid};

const SECRET: &[u8] = b"a secret of sixteen or more";
const INSTANCE: Uuid = uuid!("7f0c2a44-6c5e-4c8a-9a57-0d2f0b8f0a11");
const OTHER: Uuid = uuid!("7f0c2a44-6c5e-4c8a-9a57-0d2f0b8f0a12");

fn announcement() -> Announcement {
    Announcement {
        service: "order-service".into(),
        instance: INSTANCE,
        url: "http://127.0.0.1:8081".into(),
        lease_ms: 10_000,
        sequence: 3,
    }
}

/// Verifies a record that is signed as it stands, so that only its content is judged.
fn signed(key: &str, value: Option<&[u8]>) -> Result<RegistryRecord, RegistryError> {
    let signature = sign(SECRET, key.as_bytes(), value);
    verify(SECRET, Some(key.as_bytes()), value, Some(signature.as_bytes()))
}

fn announced(change: impl FnOnce(&mut Announcement)) -> Result<RegistryRecord, RegistryError> {
    let mut announcement = announcement();
    let key = announcement.key();
    change(&mut announcement);
    signed(&key, Some(&announcement.to_json()))
}

#[test]
fn an_announcement_and_a_tombstone_are_believed() {
    assert_eq!(announced(|_| ()), Ok(RegistryRecord::Announced(announcement())));
    let left = RegistryRecord::Left { service: "order-service".into(), instance: INSTANCE };
    assert_eq!(signed(&announcement().key(), None), Ok(left));
    assert_eq!(announcement().key(), format!("order-service/{INSTANCE}"));
}

#[test]
fn the_wire_form_is_camel_case_json() {
    expect_test::expect![[
        r#"{"service":"order-service","instance":"7f0c2a44-6c5e-4c8a-9a57-0d2f0b8f0a11","url":"http://127.0.0.1:8081","leaseMs":10000,"sequence":3}"#
    ]]
    .assert_eq(std::str::from_utf8(&announcement().to_json()).unwrap());
}

/// The value comes from another implementation (Python's hmac), so a change of framing shows.
#[test]
fn the_signature_is_pinned() {
    expect_test::expect!["47acefca8d528160fd4b1cbd91a67d50ce3f246c41ceeeebf39667c3206d092d"]
        .assert_eq(&sign(SECRET, b"order-service/1", Some(b"{}")));
}

#[test]
fn forged_signatures() {
    let key = announcement().key();
    let key = key.as_bytes();
    let value = announcement().to_json();
    let value = Some(value.as_slice());
    let good = sign(SECRET, key, value);
    let bad = Err(RegistryError::BadSignature);

    assert_eq!(verify(SECRET, Some(key), value, None), Err(RegistryError::Unsigned));
    assert_eq!(verify(SECRET, None, value, Some(good.as_bytes())), Err(RegistryError::BadKey));
    for signature in [
        "",
        "0",
        "zz",
        "\u{e9}\u{e9}",
        "+f+f",
        &good[..62],
        &format!("{good}00"),
        &sign(b"another secret of some length", key, value),
        &sign(b"", key, value),
        &sign(SECRET, key, None),
        &sign(SECRET, key, Some(b"{}")),
        &sign(SECRET, record_key("order-service", OTHER).as_bytes(), value),
    ] {
        assert_eq!(verify(SECRET, Some(key), value, Some(signature.as_bytes())), bad, "{signature:?}");
    }
    assert_eq!(verify(SECRET, Some(key), value, Some(&[0xff; 64])), bad);

    // a good value and its signature, replayed under another key
    let other = record_key("order-service", OTHER);
    assert_eq!(verify(SECRET, Some(other.as_bytes()), value, Some(good.as_bytes())), bad);
    // an announcement turned into a tombstone with its own signature, and a tombstone's into an announcement
    assert_eq!(verify(SECRET, Some(key), None, Some(good.as_bytes())), bad);
    let tombstone = sign(SECRET, key, None);
    assert_eq!(verify(SECRET, Some(key), value, Some(tombstone.as_bytes())), bad);
    // an empty value has the tombstone's signature, but it is no tombstone
    let empty = verify(SECRET, Some(key), Some(b""), Some(tombstone.as_bytes()));
    assert!(matches!(empty, Err(RegistryError::BadAnnouncement(_))), "{empty:?}");
}

#[test]
fn keys_that_are_no_service_and_instance() {
    for key in ["", "/", "order-service", "order-service/", "order-service/17", &format!("{INSTANCE}")] {
        assert_eq!(signed(key, None), Err(RegistryError::BadKey), "{key:?}");
    }
    let not_utf8 = b"order-service/\xff";
    let signature = sign(SECRET, not_utf8, None);
    assert_eq!(verify(SECRET, Some(not_utf8), None, Some(signature.as_bytes())), Err(RegistryError::BadKey));
    for service in ["gateway", "Order-Service", "order-service ", ""] {
        let refused = signed(&record_key(service, INSTANCE), None);
        assert_eq!(refused, Err(RegistryError::NotAllowed(service.into())));
    }
}

#[test]
fn announcements_that_do_not_hold() {
    let cases: Vec<(&str, Result<RegistryRecord, RegistryError>)> = vec![
        ("differ from the key", announced(|a| a.service = "catalog-service".into())),
        ("differ from the key", announced(|a| a.instance = OTHER)),
        ("leaseMs", announced(|a| a.lease_ms = 0)),
        ("leaseMs", announced(|a| a.lease_ms = LEASE_MS_MAX + 1)),
        ("leaseMs", announced(|a| a.lease_ms = u64::MAX)),
        ("url", announced(|a| a.url = "file:///etc/passwd".into())),
        ("url", announced(|a| a.url = "http://10.0.0.1:80/steal?x=".into())),
        ("missing field", signed(&announcement().key(), Some(b"{}"))),
        ("expected", signed(&announcement().key(), Some(b"\xff"))),
        ("unknown field", {
            let mut value: serde_json::Value = serde_json::from_slice(&announcement().to_json()).unwrap();
            value["weight"] = 100.into();
            signed(&announcement().key(), Some(value.to_string().as_bytes()))
        }),
    ];
    for (says, result) in cases {
        match result {
            Err(RegistryError::BadAnnouncement(text)) => assert!(text.contains(says), "{text:?}: {says:?}"),
            other => panic!("{other:?} instead of a bad announcement that says {says:?}"),
        }
    }
}

#[test]
fn addresses() {
    for good in [
        "http://127.0.0.1:8081",
        "http://localhost:1",
        "http://order-service",
        "https://order_1.shop.example:65535",
        "http://[::1]:8081",
        "http://[fe80::1]",
    ] {
        assert_eq!(check_url(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "http://",
        "http://:8081",
        "ftp://host:21",
        "HTTP://host",
        "host:8081",
        "http://host:",
        "http://host:0",
        "http://host:65536",
        "http://host:+80",
        "http://host:80:80",
        "http://host:80/",
        "http://host/path",
        "http://host?query",
        "http://host#part",
        "http://user@host",
        "http://user:pw@host:80",
        "http://ho st",
        "http://host\r\nx: y",
        "http://h\u{f6}st",
        "http://[::1",
        "http://[::1]8081",
        "http://[nonsense]:80",
    ] {
        assert!(check_url(bad).is_err(), "{bad:?}");
    }
}
