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
