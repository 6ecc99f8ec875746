//! The gateway's signature.

use axum::http::HeaderMap;
use sha2::{Digest, Sha256};

use super::config::Signing;

/// Whether a call is signed as the configuration wants: hex SHA-256 of timestamp + secret + nonce +
/// timestamp, in either case.
pub(crate) fn signed(headers: &HeaderMap, signing: &Signing) -> bool {
    let Signing::Tif { paasid, secret } = signing else {
        return true;
    };
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("");
    let (timestamp, nonce) = (header("x-tif-timestamp"), header("x-tif-nonce"));
    if header("x-tif-paasid") != paasid || nonce.is_empty() || timestamp.is_empty() || !timestamp.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let mut hash = Sha256::new();
    for part in [timestamp, secret.as_str(), nonce, timestamp] {
        hash.update(part.as_bytes());
    }
    let expected: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    header("x-tif-signature").eq_ignore_ascii_case(&expected)
}
