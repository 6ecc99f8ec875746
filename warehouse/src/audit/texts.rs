//! Texts by their SHA-256: SQL, cards, contracts, settings. Written once, never changed.

use bytes::Bytes;
use yaojia_models::digest::sha256_hex;

use crate::error::{Result, WarehouseError};
use crate::store::Root;

/// Where they lie below the warehouse root.
pub const TEXTS: &str = "_ops/texts";

/// The store of texts.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a> {
    /// Warehouse root.
    pub root: &'a Root,
}

impl Texts<'_> {
    /// The path of a text.
    #[must_use]
    pub fn path(sha256: &str) -> String {
        format!("{TEXTS}/{}/{sha256}", sha256.get(..2).unwrap_or("00"))
    }

    /// The texts that a manifest names: path below `sql/`, SHA-256.
    #[must_use]
    pub fn named(manifest: &str) -> Vec<(String, String)> {
        let manifest: serde_json::Value = serde_json::from_str(manifest).unwrap_or_default();
        let sql = manifest.get("sql").and_then(serde_json::Value::as_object);
        sql.into_iter().flatten().map(|(path, sha256)| (path.clone(), sha256.as_str().unwrap_or_default().to_string())).collect()
    }

    /// Keeps a text; returns its SHA-256.
    ///
    /// # Errors
    /// [`WarehouseError::Store`].
    pub async fn put(&self, text: &str) -> Result<String> {
        let sha256 = sha256_hex(text.as_bytes());
        let path = Self::path(&sha256);
        if !self.root.exists(&path).await? {
            self.root.put(&path, Bytes::copy_from_slice(text.as_bytes())).await?;
        }
        Ok(sha256)
    }

    /// A text again, after its hash was looked at.
    ///
    /// # Errors
    /// [`WarehouseError::Audit`] when it is not there or is not what it was.
    pub async fn get(&self, sha256: &str) -> Result<String> {
        let path = Self::path(sha256);
        let bad = |why: &str| WarehouseError::Audit { what: path.clone(), why: why.to_string() };
        let bytes = self.root.get_opt(&path).await?.ok_or_else(|| bad("the text is gone"))?;
        if sha256_hex(&bytes) != sha256 {
            return Err(bad("the text was changed: its SHA-256 is not its name"));
        }
        String::from_utf8(bytes.to_vec()).map_err(|_| bad("it is not UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_changed_text_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap();
        let texts = Texts { root: &root };
        let name = texts.put("SELECT 1").await.unwrap();
        assert_eq!(texts.put("SELECT 1").await.unwrap(), name);
        assert_eq!(texts.get(&name).await.unwrap(), "SELECT 1");
        root.put(&Texts::path(&name), Bytes::from_static(b"SELECT 2")).await.unwrap();
        assert!(matches!(texts.get(&name).await, Err(WarehouseError::Audit { why, .. }) if why.contains("changed")));
        assert!(texts.get(&"0".repeat(64)).await.is_err());
    }
}
