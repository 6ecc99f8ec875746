//! Keys that seal: ed25519, in the PEM forms that OpenSSL reads and writes.

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use yaojia_models::digest::sha256_hex;

use crate::error::{Result, WarehouseError};

fn bad(what: &str, why: impl std::fmt::Display) -> WarehouseError {
    WarehouseError::Key { what: what.to_string(), why: why.to_string() }
}

/// The secret key of whoever seals.
pub struct SealKey(SigningKey);

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(***)")
    }
}

impl SealKey {
    /// A new key.
    #[must_use]
    pub fn generate() -> Self {
        Self(SigningKey::from_bytes(&rand::random::<[u8; 32]>()))
    }

    /// Reads a PKCS#8 PEM (`openssl genpkey -algorithm ed25519`).
    ///
    /// # Errors
    /// [`WarehouseError::Key`].
    pub fn from_pem(pem: &str) -> Result<Self> {
        SigningKey::from_pkcs8_pem(pem.trim()).map(Self).map_err(|error| bad("the sealing key is no ed25519 key in PKCS#8 PEM", error))
    }

    /// The key as PKCS#8 PEM.
    ///
    /// # Errors
    /// [`WarehouseError::Key`].
    pub fn to_pem(&self) -> Result<String> {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF).map_err(|error| bad("the sealing key cannot be written", error))?;
        Ok(pem.as_str().to_owned())
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> SealPublicKey {
        SealPublicKey(self.0.verifying_key())
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// The public key: all that verifying needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealPublicKey(VerifyingKey);

impl SealPublicKey {
    /// Reads a SubjectPublicKeyInfo PEM.
    ///
    /// # Errors
    /// [`WarehouseError::Key`].
    pub fn from_pem(pem: &str) -> Result<Self> {
        VerifyingKey::from_public_key_pem(pem.trim()).map(Self).map_err(|error| bad("the public key is no ed25519 key in PEM", error))
    }

    /// Reads all keys of a PEM text; there is at least one.
    ///
    /// # Errors
    /// [`WarehouseError::Key`] when a block is no key, or there is none.
    pub fn all_from_pem(pem: &str) -> Result<Vec<Self>> {
        const END: &str = "-----END PUBLIC KEY-----";
        let mut keys: Vec<Self> = Vec::new();
        let mut rest = pem;
        while let Some((block, after)) = rest.split_once(END) {
            // Words between the blocks (whose key, since when) are no part of them.
            let begins = block.find("-----BEGIN").unwrap_or_default();
            let key = Self::from_pem(&format!("{}{END}", block.get(begins..).unwrap_or(block)))?;
            if !keys.contains(&key) {
                keys.push(key);
            }
            rest = after;
        }
        // A block that does not end is not passed over.
        if keys.is_empty() || rest.contains("-----BEGIN") {
            keys.push(Self::from_pem(rest)?);
        }
        Ok(keys)
    }

    /// The key as PEM, to be handed out.
    ///
    /// # Errors
    /// [`WarehouseError::Key`].
    pub fn to_pem(&self) -> Result<String> {
        self.0.to_public_key_pem(LineEnding::LF).map_err(|error| bad("the public key cannot be written", error))
    }

    /// What names it in a signature: the SHA-256 of its 32 bytes.
    #[must_use]
    pub fn id(&self) -> String {
        sha256_hex(self.0.as_bytes())
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_their_pem_and_sign() {
        let key = SealKey::generate();
        let again = SealKey::from_pem(&key.to_pem().unwrap()).unwrap();
        let public = SealPublicKey::from_pem(&key.public().to_pem().unwrap()).unwrap();
        assert_eq!(again.public(), public);
        let signature = again.sign(b"message");
        assert!(public.verifies(b"message", &signature));
        assert!(!public.verifies(b"messagf", &signature));
        assert!(!SealKey::generate().public().verifies(b"message", &signature));
        assert!(SealKey::from_pem("no key").is_err());
        assert_eq!(format!("{key:?}"), "SealKey(***)");
    }

    #[test]
    fn a_pem_may_hold_several_keys() {
        let (one, two) = (SealKey::generate().public(), SealKey::generate().public());
        let text = format!("of 2024\n{}\nof 2025\r\n{}{}", one.to_pem().unwrap(), two.to_pem().unwrap(), one.to_pem().unwrap());
        assert_eq!(SealPublicKey::all_from_pem(&text).unwrap(), [one.clone(), two]);
        assert_eq!(SealPublicKey::all_from_pem(&one.to_pem().unwrap()).unwrap(), std::slice::from_ref(&one));
        for bad in ["", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
            assert!(SealPublicKey::all_from_pem(bad).is_err(), "{bad}");
        }
        assert!(SealPublicKey::all_from_pem(&format!("{}-----BEGIN PUBLIC KEY-----\nMCow", one.to_pem().unwrap())).is_err());
    }

    #[test]
    fn a_key_of_openssl_is_read() {
        // openssl genpkey -algorithm ed25519; openssl pkey -pubout. Made for this test, seals nothing.
        let key = SealKey::from_pem(
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n",
        )
        .unwrap();
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        assert_eq!(key.public().to_pem().unwrap(), public);
    }
}
