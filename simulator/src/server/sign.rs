//! The signatures of both dialects.

use axum::http::HeaderMap;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use sm3::Sm3;

use super::config::Signing;

/// Whether a call is signed as the configuration wants.
pub(crate) fn signed(headers: &HeaderMap, body: &[u8], signing: &Signing) -> bool {
    match signing {
        Signing::None => true,
        Signing::Tif { paasid, secret } => tif(headers, paasid, secret),
        Signing::HmacSm3 { ca_key, secret } => hmac_sm3(headers, body, ca_key, secret),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// `<unix seconds>:<lower-case hex of HMAC-SM3(secret, unix seconds + newline + body)>`.
fn hmac_sm3(headers: &HeaderMap, body: &[u8], ca_key: &str, secret: &str) -> bool {
    let Some((seconds, signature)) = text(headers, "x-ca-signature").split_once(':') else { return false };
    let Ok(mut mac) = Hmac::<Sm3>::new_from_slice(secret.as_bytes()) else { return false };
    for part in [seconds.as_bytes(), b"\n", body] {
        mac.update(part);
    }
    let digits = !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit());
    digits && text(headers, "x-ca-key") == ca_key && signature == hex(&mac.finalize().into_bytes())
}

/// Hex SHA-256 of timestamp + secret + nonce + timestamp, in either case.
fn tif(headers: &HeaderMap, paasid: &str, secret: &str) -> bool {
    let header = |name: &str| text(headers, name);
    let (timestamp, nonce) = (header("x-tif-timestamp"), header("x-tif-nonce"));
    if header("x-tif-paasid") != paasid || nonce.is_empty() || timestamp.is_empty() || !timestamp.bytes().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let mut hash = Sha256::new();
    for part in [timestamp, secret, nonce, timestamp] {
        hash.update(part.as_bytes());
    }
    header("x-tif-signature").eq_ignore_ascii_case(&hex(&hash.finalize()))
}
