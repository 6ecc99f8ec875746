//! The DSSE envelope (Dead Simple Signing Envelope 1.0): payload, type, signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::key::{SealKey, SealPublicKey};

/// What an in-toto statement is called in an envelope.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureLine {
    keyid: String,
    sig: String,
}

/// An envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<SignatureLine>,
}

impl Envelope {
    /// Signs a payload.
    #[must_use]
    pub fn sign(payload: &[u8], key: &SealKey) -> Self {
        let sig = STANDARD.encode(key.sign(&pae(PAYLOAD_TYPE, payload)));
        Self {
            payload: STANDARD.encode(payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![SignatureLine { keyid: key.public().id(), sig }],
        }
    }

    /// The one form in which an envelope is stored.
    #[must_use]
    pub fn text(&self) -> String {
        // Strings only: this cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The payload of a stored envelope as it stands: nothing is verified.
    pub(super) fn peek(text: &[u8]) -> Result<Vec<u8>, String> {
        let envelope: Self = serde_json::from_slice(text).map_err(|error| format!("it is no DSSE envelope: {error}"))?;
        STANDARD.decode(&envelope.payload).map_err(|error| format!("its payload is no base64: {error}"))
    }

    /// The id of the key that a stored envelope says it is signed by: nothing is verified.
    pub(super) fn signer(text: &[u8]) -> Result<String, String> {
        let envelope: Self = serde_json::from_slice(text).map_err(|error| format!("it is no DSSE envelope: {error}"))?;
        match envelope.signatures.as_slice() {
            [line] => Ok(line.keyid.clone()),
            lines => Err(format!("it has {} signatures, not one", lines.len())),
        }
    }

    /// The payload of a stored envelope, after everything about it was looked at; else what is wrong. It must be signed by one of the keys.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn open(text: &[u8], keys: &[SealPublicKey]) -> Result<Vec<u8>, String> {
        let envelope: Self = serde_json::from_slice(text).map_err(|error| format!("it is no DSSE envelope: {error}"))?;
        if envelope.text().as_bytes() != text {
            return Err("it is not written as envelopes are written: it was changed".to_owned());
        }
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(format!("its payload type is `{}`", envelope.payload_type));
        }
        let payload = STANDARD.decode(&envelope.payload).map_err(|error| format!("its payload is no base64: {error}"))?;
        let signer = Self::signer(text)?;
        let Some(key) = keys.iter().find(|key| key.id() == signer) else {
            let given: Vec<String> = keys.iter().map(|key| format!("`{}`", key.id())).collect();
            return Err(format!("it is signed by the key `{signer}`, not by {}", given.join(" or ")));
        };
        let signature = envelope.signatures.first().map(|line| STANDARD.decode(&line.sig)).transpose();
        let signature = signature.map_err(|error| format!("its signature is no base64: {error}"))?.unwrap_or_default();
        if !key.verifies(&pae(PAYLOAD_TYPE, &payload), &signature) {
            return Err("the signature does not fit: payload or signature were changed".to_owned());
        }
        Ok(payload)
    }
}

/// Pre-authentication encoding of DSSE: what is signed.
fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn every_flipped_byte_is_noticed() {
        let key = SealKey::generate();
        let text = Envelope::sign(b"{\"a\":1}", &key).text().into_bytes();
        let keys = [SealKey::generate().public(), key.public()];
        assert_eq!(Envelope::open(&text, &keys).unwrap(), b"{\"a\":1}");
        assert!(Envelope::open(&text, &keys[..1]).is_err() && Envelope::open(&text, &[]).is_err());
        for at in 0..text.len() {
            for bit in [1_u8, 0x20, 0x80] {
                let mut changed = text.clone();
                changed[at] ^= bit;
                assert!(Envelope::open(&changed, &keys).is_err(), "byte {at}, bit {bit}");
            }
        }
    }
}
