//! Who is there: the records of the topic `service-registry`.
//!
//! Key: `SERVICE/INSTANCE-UUID`. Value: an [`Announcement`] as JSON, or null when the instance leaves. Either carries a
//! signature in the header [`SIGNATURE_HEADER`], so that only holders of the shared secret can add or remove instances.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

/// Lower-case hex of HMAC-SHA256 over key, a zero byte, and the value (nothing for a tombstone).
pub const SIGNATURE_HEADER: &str = "registry-signature";

/// The services that may appear in the registry.
pub const ALLOWED_SERVICES: &[&str] = &["order-service", "catalog-service"];

/// Longer leases are refused: an instance that died would be sent requests for as long.
pub const LEASE_MS_MAX: u64 = 60_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Announcement {
    pub service: String,
    /// New at every start.
    pub instance: Uuid,
    /// Where the instance answers: `http://HOST:PORT`.
    pub url: String,
    /// For how long after receipt a reader may believe this record.
    pub lease_ms: u64,
    /// Rises with each announcement of an instance; a reader ignores what does not rise, so that a record cannot be
    /// replayed.
    pub sequence: u64,
}

impl Announcement {
    pub fn key(&self) -> String {
        record_key(&self.service, self.instance)
    }

    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an announcement has only string and number fields")
    }
}

pub fn record_key(service: &str, instance: Uuid) -> String {
    format!("{service}/{instance}")
}

/// What a valid registry record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryRecord {
    Announced(Announcement),
    Left { service: String, instance: Uuid },
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    #[error("registry record without a {SIGNATURE_HEADER} header")]
    Unsigned,
    #[error("registry record with a wrong signature")]
    BadSignature,
    #[error("registry key is not SERVICE/UUID")]
    BadKey,
    #[error("registry record for the service {0:?}, which is not on the allow-list")]
    NotAllowed(String),
    #[error("announcement does not fit its key or is not valid: {0}")]
    BadAnnouncement(String),
}

fn mac(secret: &[u8], key: &[u8], value: Option<&[u8]>) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(key);
    mac.update(&[0]);
    mac.update(value.unwrap_or_default());
    mac
}

pub fn sign(secret: &[u8], key: &[u8], value: Option<&[u8]>) -> String {
    let bytes = mac(secret, key, value).finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks and reads one record. Everything a forger could send comes back as an error.
pub fn verify(
    secret: &[u8],
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    signature: Option<&[u8]>,
) -> Result<RegistryRecord, RegistryError> {
    let key = key.ok_or(RegistryError::BadKey)?;
    let signature = signature.ok_or(RegistryError::Unsigned)?;
    let signature = unhex(signature).ok_or(RegistryError::BadSignature)?;
    mac(secret, key, value).verify_slice(&signature).map_err(|_| RegistryError::BadSignature)?;

    let (service, instance) = std::str::from_utf8(key)
        .ok()
        .and_then(|key| key.split_once('/'))
        .and_then(|(service, instance)| Some((service, Uuid::parse_str(instance).ok()?)))
        .ok_or(RegistryError::BadKey)?;
    if !ALLOWED_SERVICES.contains(&service) {
        return Err(RegistryError::NotAllowed(service.into()));
    }
    let Some(value) = value else {
        return Ok(RegistryRecord::Left { service: service.into(), instance });
    };
    let announcement: Announcement =
        serde_json::from_slice(value).map_err(|error| RegistryError::BadAnnouncement(error.to_string()))?;
    let bad = |what: &str| Err(RegistryError::BadAnnouncement(what.into()));
    if announcement.service != service || announcement.instance != instance {
        return bad("service or instance differ from the key");
    }
    check_url(&announcement.url).map_err(|rule| RegistryError::BadAnnouncement(format!("url {rule}")))?;
    if announcement.lease_ms == 0 || announcement.lease_ms > LEASE_MS_MAX {
        return bad("leaseMs is not 1 to 60000");
    }
    Ok(RegistryRecord::Announced(announcement))
}

/// The rule for an announced address: scheme, host and port, and nothing that could steer a request elsewhere (user
/// info, path, query) or break a log line. Announcers apply it to their own configuration.
pub fn check_url(url: &str) -> Result<(), &'static str> {
    let authority = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"))
        .ok_or("starts with neither http:// nor https://")?;
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let (address, rest) = v6.split_once(']').ok_or("has a [ without ]")?;
            address.parse::<std::net::Ipv6Addr>().map_err(|_| "has no IPv6 address between [ and ]")?;
            (address, (!rest.is_empty()).then_some(rest).map(|rest| rest.strip_prefix(':').unwrap_or("")))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let host_ok = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:".contains(&b));
    if host.is_empty() || host.len() > 253 || !host_ok {
        return Err("is not scheme, host and port only");
    }
    let port_ok =
        |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0);
    if !port.is_none_or(port_ok) {
        return Err("has a port that is not 1 to 65535");
    }
    Ok(())
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| (*byte as char).to_digit(16);
    let pairs = text.chunks(2);
    pairs.map(|pair| Some((digit(&pair[0])? * 16 + digit(pair.get(1)?)?) as u8)).collect()
}
