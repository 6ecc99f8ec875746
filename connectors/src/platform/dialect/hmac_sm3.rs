//! HMAC with SM3, the national hash (GM/T 0004, GM/T 0042).

use hmac::{Hmac, KeyInit, Mac};
use sm3::Sm3;

/// The code of a message given in parts.
pub(super) fn hmac_sm3(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // HMAC takes a key of any length; an empty code would be refused by every platform.
    let Ok(mut mac) = Hmac::<Sm3>::new_from_slice(key) else { return Vec::new() };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use sm3::Digest as _;

    use super::*;
    use crate::kit::artifact::hex;

    #[test]
    fn published_vectors() {
        // GB/T 32905-2016 A.1
        assert_eq!(hex(&Sm3::digest(b"abc")), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
        // GM/T 0042-2015 D.3
        let text = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        let key: Vec<u8> = (1..=32).collect();
        assert_eq!(hex(&hmac_sm3(&key, &[text, text])), "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a");
        let key: Vec<u8> = (1..=37).collect();
        assert_eq!(hex(&hmac_sm3(&key, &[&[0xcd; 50]])), "220bf579ded555393f0159f66c99877822a3ecf610d1552154b41d44b94db3ae");
        assert_eq!(
            hex(&hmac_sm3(b"Jefe", &[b"what do ya want for nothing?"])),
            "2e87f1d16862e6d964b50a5200bf2b10b764faa9680a296a2405f24bec39f882"
        );
    }
}
