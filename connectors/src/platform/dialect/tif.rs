//! The gateway's signature (`signing = "tif"`).

use rand::Rng;
use sha2::{Digest, Sha256};

use crate::error::SourceError;
use crate::kit::artifact::hex;
use crate::kit::clock::unix_seconds;
use crate::kit::secret::Secret;
use crate::platform::config::{PlatformConfig, Signing};

/// Signs calls, or does not.
#[derive(Debug)]
pub(super) struct Signer(Option<(String, Secret)>);

impl Signer {
    pub(super) fn new(config: &PlatformConfig) -> Result<Self, SourceError> {
        match (config.signing, &config.paasid, &config.secret) {
            (Signing::None, _, _) => Ok(Self(None)),
            (Signing::Tif, Some(paasid), Some(secret)) => Ok(Self(Some((paasid.clone(), secret.resolve()?)))),
            (Signing::Tif, _, _) => Err(SourceError::config(&config.name, "`signing = \"tif\"` needs `paasid` and `secret`")),
        }
    }

    /// The secret it signs with.
    pub(super) fn secret(&self) -> Option<&Secret> {
        self.0.as_ref().map(|(_, secret)| secret)
    }

    /// The headers of one call, made now.
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        let Some((paasid, secret)) = &self.0 else {
            return Vec::new();
        };
        let timestamp = unix_seconds().to_string();
        let nonce = hex(&rand::rng().random::<[u8; 16]>());
        let signature = signature(&timestamp, secret.expose(), &nonce);
        vec![("x-tif-paasid", paasid.clone()), ("x-tif-timestamp", timestamp), ("x-tif-nonce", nonce), ("x-tif-signature", signature)]
    }
}

fn signature(timestamp: &str, secret: &str, nonce: &str) -> String {
    hex(&Sha256::digest(format!("{timestamp}{secret}{nonce}{timestamp}")))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_signature_is_that_of_the_contract() {
        // printf '1700000000secretabc1700000000' | sha256sum
        assert_eq!(super::signature("1700000000", "secret", "abc"), "fdc48fe9d788109715ef6992d91898144cf86682942883a8ceec4dfebddb3d0f");
    }
}
