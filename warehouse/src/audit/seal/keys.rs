//! Which keys seals may be signed by: those that are given, and those that a trusted one has handed over to.
//!
//! ```text
//! _ops/seals/keys/000002-<id of the new key>.json     DSSE envelope, signed by the key that hands over
//!   subject    the new key, by its SHA-256
//!   predicate  both keys, the new one as PEM, when and why, and the last seal of the old one
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::dsse::Envelope;
use super::key::{SealKey, SealPublicKey};
use super::shelf;
use super::statement::{PreviousSeal, STATEMENT_TYPE, Statement};
use super::verify::Finding;
use crate::error::{Result, WarehouseError};
use crate::store::Root;

/// What the predicate of a hand-over says; a name, nothing lies there.
const HAND_OVER_TYPE: &str = "urn:yaojia:seal-key-hand-over:v1";

/// The statement of a hand-over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<KeySubject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    /// What was handed over.
    pub predicate: HandOverPredicate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeySubject {
    name: String,
    digest: BTreeMap<String, String>,
}

/// What a hand-over says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HandOverPredicate {
    /// Id of the key that hands over, and signs.
    pub from: String,
    /// Id of the key that seals from now on.
    pub to: String,
    /// That key, PEM.
    pub public_key: String,
    /// When, Asia/Shanghai.
    pub at: String,
    /// Why.
    pub why: String,
    /// The last seal before; none where nothing was sealed yet.
    pub after: Option<PreviousSeal>,
}

/// A key that seals may be signed by, and until when.
#[derive(Debug, Clone)]
struct Trusted {
    key: SealPublicKey,
    /// It was handed over after this seal, to that key.
    until: Option<(i64, String)>,
}

/// The keys that are trusted.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    keys: BTreeMap<String, Trusted>,
    /// Hand-overs that do not fit.
    pub findings: Vec<Finding>,
}

impl Trust {
    /// The keys given, and those that they hand over to, one after another.
    ///
    /// # Errors
    /// As the storage says; a hand-over that does not fit is a finding.
    pub async fn of(root: &Root, given: &[SealPublicKey]) -> Result<Self> {
        let mut trust = Self::default();
        for key in given {
            trust.keys.insert(key.id(), Trusted { key: key.clone(), until: None });
        }
        let mut all = Vec::new();
        for path in shelf::hand_overs(root).await? {
            if let Some((bytes, _)) = shelf::read(root, &path).await? {
                all.push((path, bytes));
            }
        }
        // A key that is trusted only now may have handed over in a file that comes before.
        loop {
            let known = trust.keys.len();
            trust.findings.clear();
            for (path, bytes) in &all {
                if let Err(why) = trust.take(bytes) {
                    trust.findings.push(Finding { what: path.clone(), why });
                }
            }
            if trust.keys.len() == known {
                return Ok(trust);
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> std::result::Result<(), String> {
        let signer = Envelope::signer(bytes)?;
        // Signed by a key nobody here trusts: it makes nobody trust another.
        let Some(from) = self.keys.get(&signer).map(|from| from.key.clone()) else { return Ok(()) };
        let payload = Envelope::open(bytes, &[from])?;
        let said: HandOver = serde_json::from_slice(&payload).map_err(|error| format!("its payload is no hand-over: {error}"))?;
        let key = SealPublicKey::from_pem(&said.predicate.public_key).map_err(|error| error.to_string())?;
        let to = key.id();
        if said.predicate_type != HAND_OVER_TYPE || said.predicate.from != signer || said.predicate.to != to {
            return Err("it says other keys than it names".to_owned());
        }
        let after = said.predicate.after.as_ref().map_or(0, |seal| seal.seal);
        if let Some(old) = self.keys.get_mut(&signer) {
            if let Some((_, other)) = old.until.as_ref().filter(|(_, other)| *other != to) {
                return Err(format!("the key `{signer}` was handed over to `{other}` before: one of the two was not signed by its holder"));
            }
            old.until = Some((after, to.clone()));
        }
        self.keys.entry(to).or_insert(Trusted { key, until: None });
        Ok(())
    }

    /// Whether a key was handed over to another; which, and after which seal.
    #[must_use]
    pub fn successor(&self, id: &str) -> Option<(i64, &str)> {
        self.keys.get(id)?.until.as_ref().map(|(after, to)| (*after, to.as_str()))
    }

    /// The payload of a seal that is signed by a trusted key; else what is wrong.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn open(&self, bytes: &[u8], number: Option<i64>) -> std::result::Result<Vec<u8>, String> {
        let signer = Envelope::signer(bytes)?;
        if let (Some(number), Some((after, to))) = (number, self.successor(&signer))
            && number > after
        {
            return Err(format!("it is signed by the key `{signer}`, which was handed over to `{to}` after seal {after}"));
        }
        let keys: Vec<SealPublicKey> = self.keys.values().map(|of| of.key.clone()).collect();
        Envelope::open(bytes, &keys).map_err(|why| match self.keys.contains_key(&signer) {
            true => why,
            false => format!("{why}; where the keys were changed give each of them, old and new"),
        })
    }
}

/// The statement of a seal, for who seals next: its signature fits one of the keys known here, or the key it names itself. Whether that is a key
/// to be trusted is for who verifies to say; here it shows that nothing was changed since.
///
/// # Errors
/// [`WarehouseError::Key`] when no such key is at hand, [`WarehouseError::Audit`] when the seal does not fit.
pub(super) fn open_known(path: &str, bytes: &[u8], trust: &Trust) -> Result<Statement> {
    let bad = |why: String| WarehouseError::Audit { what: path.to_string(), why };
    let signer = Envelope::signer(bytes).map_err(bad)?;
    let peeked: Option<Statement> = Envelope::peek(bytes).ok().and_then(|payload| serde_json::from_slice(&payload).ok());
    let named = peeked.and_then(|statement| statement.predicate.public_key).and_then(|pem| SealPublicKey::from_pem(&pem).ok());
    let keys: Vec<SealPublicKey> = trust.keys.values().map(|of| of.key.clone()).chain(named).collect();
    if !keys.iter().any(|key| key.id() == signer) {
        return Err(WarehouseError::Key {
            what: format!("the seal `{path}` is signed by the key `{signer}`, whose public half is not at hand"),
            why: "put it into the file of `audit.seal_public_key` beside the new one (a PEM may hold several), or put the old key back and hand \
                  over: `yaojia seal --hand-over NEW.pem`"
                .to_string(),
        });
    }
    let payload = Envelope::open(bytes, &keys).map_err(bad)?;
    serde_json::from_slice(&payload).map_err(|error| bad(format!("its payload is no statement of ours: {error}")))
}

/// Hands over: signs with the key in use that another one seals from now on. Returns the path of the envelope. The caller holds the lease.
///
/// # Errors
/// [`WarehouseError::Key`] when the key in use was handed over before or is the same; else as the storage says.
pub async fn hand_over(root: &Root, old: &SealKey, new: &SealPublicKey, known: &[SealPublicKey], at: &str, why: &str) -> Result<String> {
    let (from, to) = (old.public().id(), new.id());
    let refused = |why: String| WarehouseError::Key { what: format!("the key `{from}` cannot be handed over"), why };
    if from == to {
        return Err(refused("the new key is the same".to_string()));
    }
    let trust = Trust::of(root, &[known, &[old.public()]].concat()).await?;
    let after = shelf::seals(root).await?.into_iter().next_back();
    if let Some((seal, other)) = trust.successor(&from) {
        return Err(refused(format!("it was handed over to `{other}` after seal {seal}")));
    }
    let statement = HandOver {
        kind: STATEMENT_TYPE.to_owned(),
        subject: vec![KeySubject { name: "seal key".to_owned(), digest: [("sha256".to_owned(), to.clone())].into() }],
        predicate_type: HAND_OVER_TYPE.to_owned(),
        predicate: HandOverPredicate {
            from: from.clone(),
            to: to.clone(),
            public_key: new.to_pem()?,
            at: at.to_owned(),
            why: why.to_owned(),
            after: after.as_ref().map(|mark| PreviousSeal { seal: mark.number, sha256: mark.sha256.clone() }),
        },
    };
    let payload = serde_json::to_vec(&statement).map_err(|error| refused(error.to_string()))?;
    let path = shelf::hand_over_path(after.map_or(0, |mark| mark.number), &to);
    root.put(&path, Envelope::sign(&payload, old).text().into()).await?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn trust_follows_hand_overs_and_ends_with_them() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap();
        let keys: Vec<SealKey> = (0..4).map(|_| SealKey::generate()).collect();
        let public: Vec<SealPublicKey> = keys.iter().map(SealKey::public).collect();
        let sealed = |key: &SealKey| Envelope::sign(b"{}", key).text().into_bytes();
        let path = hand_over(&root, &keys[0], &public[1], &[], "2024-01-01T00:00:00", "expired").await.unwrap();
        assert!(path.starts_with("_ops/seals/keys/000000-"), "{path}");
        assert!(hand_over(&root, &keys[0], &public[2], &[], "2024-01-01T00:00:00", "again").await.is_err());
        assert!(hand_over(&root, &keys[1], &public[1], &[], "2024-01-01T00:00:00", "to itself").await.is_err());
        let trust = Trust::of(&root, &public[..1]).await.unwrap();
        assert!(trust.findings.is_empty());
        assert!(trust.open(&sealed(&keys[1]), Some(1)).is_ok());
        assert!(trust.open(&sealed(&keys[0]), Some(1)).unwrap_err().contains("handed over"));
        assert!(trust.open(&sealed(&keys[2]), Some(1)).is_err());
        // A stranger's hand-over helps nobody who does not trust the stranger.
        hand_over(&root, &keys[2], &public[3], &[], "2024-01-01T00:00:00", "mine").await.unwrap();
        let trust = Trust::of(&root, &public[..1]).await.unwrap();
        assert!(trust.open(&sealed(&keys[3]), Some(1)).is_err());
        // A changed one is named.
        let held = root.get_opt(&path).await.unwrap().unwrap();
        let changed = String::from_utf8(held.to_vec()).unwrap().replace("\"sig\": \"", "\"sig\": \"AA");
        root.put(&path, changed.into()).await.unwrap();
        assert_eq!(Trust::of(&root, &public[..1]).await.unwrap().findings.len(), 1);
    }
}
