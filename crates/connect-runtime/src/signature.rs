//! Signed requests between workers (KIP-507): who can read the config topic has the key, and only who has the key may hand the
//! leader task configurations.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

/// `session-key` of the config topic.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionKey {
    pub key: Vec<u8>,
    /// What the key was made for, such as `HmacSHA256`.
    pub algorithm: String,
    /// Milliseconds since the epoch.
    pub created: i64,
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionKey")
            .field("algorithm", &self.algorithm)
            .field("created", &self.created)
            .finish()
    }
}

/// What came in `X-Connect-Authorization` and `X-Connect-Request-Signature-Algorithm`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestSignature {
    pub algorithm: String,
    pub mac: Vec<u8>,
}

/// The algorithms known here, in Java's names, and the length of a key for each in bytes.
pub const ALGORITHMS: [(&str, usize); 3] = [("HmacSHA256", 32), ("HmacSHA384", 48), ("HmacSHA512", 64)];

impl RequestSignature {
    /// `None` for an algorithm that is not among [`ALGORITHMS`].
    pub fn sign(algorithm: &str, key: &[u8], body: &[u8]) -> Option<Self> {
        Some(Self { algorithm: algorithm.to_owned(), mac: mac(algorithm, key, body)? })
    }

    /// Takes as long for a wrong signature as for a right one.
    pub fn is_valid(&self, key: &[u8], body: &[u8]) -> bool {
        fn verify<M: Mac + KeyInit>(key: &[u8], body: &[u8], expected: &[u8]) -> bool {
            <M as KeyInit>::new_from_slice(key)
                .is_ok_and(|mac| mac.chain_update(body).verify_slice(expected).is_ok())
        }
        match self.algorithm.as_str() {
            "HmacSHA256" => verify::<Hmac<Sha256>>(key, body, &self.mac),
            "HmacSHA384" => verify::<Hmac<Sha384>>(key, body, &self.mac),
            "HmacSHA512" => verify::<Hmac<Sha512>>(key, body, &self.mac),
            _ => false,
        }
    }
}

fn mac(algorithm: &str, key: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    fn of<M: Mac + KeyInit>(key: &[u8], body: &[u8]) -> Option<Vec<u8>> {
        let mac = <M as KeyInit>::new_from_slice(key).ok()?;
        Some(mac.chain_update(body).finalize().into_bytes().to_vec())
    }
    match algorithm {
        "HmacSHA256" => of::<Hmac<Sha256>>(key, body),
        "HmacSHA384" => of::<Hmac<Sha384>>(key, body),
        "HmacSHA512" => of::<Hmac<Sha512>>(key, body),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_key_and_body_alone() {
        for (algorithm, length) in ALGORITHMS {
            let signature = RequestSignature::sign(algorithm, b"key", b"body").unwrap();
            assert_eq!(signature.mac.len(), length);
            assert!(signature.is_valid(b"key", b"body"));
            assert!(!signature.is_valid(b"key", b"other body"));
            assert!(!signature.is_valid(b"other key", b"body"));
        }
        assert_eq!(RequestSignature::sign("HmacMD5", b"key", b"body"), None);
    }

    #[test]
    fn the_mac_is_that_of_rfc_4231() {
        // test case 2
        let signature =
            RequestSignature::sign("HmacSHA256", b"Jefe", b"what do ya want for nothing?").unwrap();
        let hex: String = signature.mac.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
