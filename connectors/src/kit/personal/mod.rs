//! Personal data at the door: hashed where the contract keeps it, dropped where nobody asked for it.
//!
//! A name is judged by its parts ([`names`]), a value by the numbers it holds ([`values`]). What a contract names is never judged.

mod names;
mod spelling;
mod values;
mod vocabulary;

use std::collections::HashSet;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use yaojia_models::text::Form;

use crate::error::SourceError;
use crate::kit::artifact::hex;
use crate::kit::secret::{Secret, SecretRef};
pub(crate) use spelling::label;
use spelling::{outside_brackets, squeeze};

/// Names that look personal as a whole, beside those that do by their parts; both, unless a configuration lists its own.
pub const PERSONAL_NAMES: &[&str] = &[
    "psn_no",
    "psn_name",
    "psn_cert_no",
    "psn_cert_type",
    "certno",
    "cert_no",
    "id_card",
    "idcard",
    "id_no",
    "patn_name",
    "patient_name",
    "tel",
    "phone",
    "mobile",
    "fix_tel",
    "mob",
    "addr",
    "address",
    "live_addr",
    "brdy",
    "phone_no",
    "telephone",
    "mobile_no",
    "email",
    "coner_name",
    "crter_name",
    "opter_name",
    "bilg_dr_name",
    "acord_dr_name",
    "chfpdr_name",
    "prsc_dr_name",
    "prsc_dr_certno",
    "phar_name",
    "phar_certno",
    "姓名",
    "人员姓名",
    "患者姓名",
    "参保人姓名",
    "参保人",
    "病人姓名",
    "就诊人姓名",
    "联系人",
    "联系人姓名",
    "经办人",
    "经办人姓名",
    "填报人",
    "个人编号",
    "医保个人编号",
    "参保人编号",
    "社保卡号",
    "医保卡号",
    "人员编号",
    "身份证",
    "身份证号",
    "身份证号码",
    "证件号码",
    "证件号",
    "联系电话",
    "电话",
    "手机",
    "手机号",
    "手机号码",
    "电话号码",
    "联系方式",
    "电子邮箱",
    "住址",
    "家庭住址",
    "家庭地址",
    "现住址",
    "联系地址",
    "出生日期",
];

/// Personal-data section of a source configuration.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonalConfig {
    /// Key of the keyed hash that replaces `psn_no`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_key: Option<SecretRef>,
    /// Names that look personal; replaces the built-in list and the judging by parts. Case and underscores do not matter; a Chinese one
    /// also counts within a longer name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<String>>,
}

/// The rules in force.
#[derive(Clone)]
pub struct PersonalRules {
    names: HashSet<String>,
    /// Those of the names that are Chinese, where a configuration lists its own.
    words: Option<Vec<String>>,
    key: Option<Secret>,
}

impl PersonalRules {
    /// Resolves the key and lays out the names.
    ///
    /// # Errors
    /// [`SourceError::Secret`] when the key is named but absent.
    pub fn new(config: &PersonalConfig) -> Result<Self, SourceError> {
        let key = config.hash_key.as_ref().map(SecretRef::resolve).transpose()?;
        let names: Vec<String> = match &config.names {
            Some(names) => names.iter().map(|name| fold(name)).collect(),
            None => PERSONAL_NAMES.iter().map(|name| fold(name)).collect(),
        };
        let own = config.names.is_some();
        let words = own.then(|| names.iter().filter(|name| !name.is_empty() && !name.is_ascii()).cloned().collect());
        Ok(Self { names: names.into_iter().filter(|name| !name.is_empty()).collect(), words, key })
    }

    /// The same rules with a key that nobody keeps, for looking at a file without loading it.
    ///
    /// # Errors
    /// As [`PersonalRules::new`].
    pub fn passing(config: &PersonalConfig) -> Result<Self, SourceError> {
        let rules = Self::new(&PersonalConfig { hash_key: None, names: config.names.clone() })?;
        let key: [u8; 32] = rand::random();
        Ok(Self { key: Some(Secret::new(hex(&key))), ..rules })
    }

    /// Whether a name of no contract looks personal.
    #[must_use]
    pub fn looks_personal(&self, name: &str) -> bool {
        let folded = fold(name);
        self.names.contains(&folded)
            || match &self.words {
                Some(words) => words.iter().any(|word| folded.contains(word.as_str())),
                None => names::is_personal_name(name),
            }
    }

    /// Whether a text that is no value of a contract's column (a title row, a remark, a sheet of something else, an unknown column)
    /// speaks of a person: by a word, by a label that somebody filled in, or by an identity or mobile number.
    #[must_use]
    pub fn mentions_personal(&self, text: &str) -> bool {
        let speaks = match &self.words {
            Some(words) => {
                let plain = squeeze(text);
                words.iter().any(|word| plain.contains(word.as_str())) || names::has_label(text, &|label| self.looks_personal(label))
            }
            None => names::speaks_of_person(text),
        };
        speaks || self.names.contains(&fold(text)) || values::holds_number_of_person(text)
    }

    /// Whether a value of an unknown column may not be kept. Most are short and plain, and are told apart at once.
    #[must_use]
    pub fn is_personal_value(&self, value: &str) -> bool {
        let plain = value.len() < 11 && value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b' '));
        !plain && self.mentions_personal(value)
    }

    /// The keyed hash of a value, hex; null stays null. The value is cleaned as a code is: guards and blanks do not make another person.
    ///
    /// # Errors
    /// [`SourceError::Config`] when there is no key: a personal value is never written as it is.
    pub fn hash(&self, value: &str) -> Result<Option<String>, SourceError> {
        Form::Code.clean(value).value.map(|value| self.digest(&value)).transpose()
    }

    /// The keyed hash of a whole text, for rows that cannot be split.
    pub(crate) fn digest(&self, value: &str) -> Result<String, SourceError> {
        let missing = || SourceError::config("personal", "`personal.hash_key` is needed for a dataset with personal columns");
        let key = self.key.as_ref().ok_or_else(missing)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.expose().as_bytes()).map_err(|_| missing())?;
        mac.update(value.as_bytes());
        Ok(hex(&mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for PersonalRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonalRules").field("names", &self.names.len()).field("key", &self.key).finish()
    }
}

/// A name without what people add to it: case, underscores, hyphens, blanks, stars, full-width forms, remarks in brackets, and what
/// stands behind a colon.
fn fold(name: &str) -> String {
    squeeze(&outside_brackets(name).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> PersonalRules {
        let mut rules = PersonalRules::new(&PersonalConfig::default()).unwrap();
        rules.key = Some(Secret::new("Jefe"));
        rules
    }

    #[test]
    fn names_match_in_any_spelling() {
        for name in [
            "psnName",
            "PSN_NAME",
            "psn_name",
            "CERTNO",
            "Tel",
            "姓名",
            "身份证号",
            "联系电话",
            "住址",
            "姓 名",
            "＊姓名",
            "联系电话（手机）",
            "(必填)身份证号码",
            "ＴＥＬ",
            "Psn-Name",
            "\u{feff}姓名",
            "联系电话：0996",
            "【必填】住址*",
        ] {
            assert!(rules().looks_personal(name), "{name}");
        }
        for name in ["rid", "tenantId", "RMK", "telescope", "", "药品通用名", "hotel"] {
            assert!(!rules().looks_personal(name), "{name}");
        }
        for text in ["填报人：张三 联系 电话：138", "参保人员姓名一览表", "TEL"] {
            assert!(rules().mentions_personal(text), "{text}");
        }
        for text in ["医疗服务项目成本表", "hotel", "", "2024年1月"] {
            assert!(!rules().mentions_personal(text), "{text}");
        }
    }

    #[test]
    fn the_hash_is_hmac_sha256() {
        // RFC 4231, test case 2
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(rules().hash("what do ya want for nothing?").unwrap().as_deref(), Some(expected));
        assert_eq!(rules().hash(" what do ya want for nothing? ").unwrap().as_deref(), Some(expected));
        assert_eq!(rules().hash("").unwrap(), None);
        assert_eq!(rules().hash("无").unwrap(), None);
    }

    #[test]
    fn without_a_key_nothing_passes() {
        let rules = PersonalRules::new(&PersonalConfig::default()).unwrap();
        assert!(rules.hash("P1").is_err());
        assert!(!format!("{:?}", super::tests::rules()).contains("Jefe"));
    }
}
