//! Which messages feed a dataset, and what each of them calls things. Data, not code: `[messages]` of a `source.toml`.

use std::fmt;

use indexmap::IndexMap;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use yaojia_models::contract::{Dataset, SourceKind};

/// One message of a platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Message number.
    pub infno: String,
    /// Name of the window's first second in a request; absent: the dialect's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_key: Option<String>,
    /// Name of the window's last second in a request; absent: the dialect's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_key: Option<String>,
    /// JSON key of this message → column, beside the column's own camelCase key and the aliases.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub keys: IndexMap<String, String>,
    /// Column → the value it has in every row of this message that does not carry the key itself.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub constants: IndexMap<String, String>,
}

/// The messages of one dataset, in the order they are read: written as a number, a table, or a list of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages(pub Vec<Message>);

impl Message {
    /// A message that calls everything by its usual name.
    #[must_use]
    pub fn plain(infno: impl Into<String>) -> Self {
        Self { infno: infno.into(), ..Self::default() }
    }

    fn is_plain(&self) -> bool {
        self.start_key.is_none() && self.end_key.is_none() && self.keys.is_empty() && self.constants.is_empty()
    }
}

impl Messages {
    /// The numbers, for people.
    #[must_use]
    pub fn infnos(&self) -> String {
        self.0.iter().map(|message| message.infno.as_str()).collect::<Vec<_>>().join("+")
    }
}

/// One element: a number or a table.
struct One(Message);

impl<'de> Deserialize<'de> for One {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = One;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message number, or a table with `infno`")
            }

            fn visit_str<E: serde::de::Error>(self, infno: &str) -> Result<One, E> {
                Ok(One(Message::plain(infno)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<One, A::Error> {
                Message::deserialize(MapAccessDeserializer::new(map)).map(One)
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

impl<'de> Deserialize<'de> for Messages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Messages;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message number, a table with `infno`, or a list of these")
            }

            fn visit_str<E: serde::de::Error>(self, infno: &str) -> Result<Messages, E> {
                Ok(Messages(vec![Message::plain(infno)]))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Messages, A::Error> {
                Message::deserialize(MapAccessDeserializer::new(map)).map(|message| Messages(vec![message]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Messages, A::Error> {
                let mut messages = Vec::new();
                while let Some(One(message)) = list.next_element()? {
                    messages.push(message);
                }
                Ok(Messages(messages))
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

impl Serialize for Messages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] if one.is_plain() => serializer.serialize_str(&one.infno),
            [one] => one.serialize(serializer),
            more => more.serialize(serializer),
        }
    }
}

/// What is wrong with a table of messages on its own; the key and why.
pub(crate) fn check(messages: &IndexMap<String, Messages>) -> Result<(), String> {
    for (dataset, Messages(list)) in messages {
        if list.is_empty() {
            return Err(format!("`messages.{dataset}` is an empty list"));
        }
        for (n, message) in list.iter().enumerate() {
            if message.infno.trim().is_empty() {
                return Err(format!("`messages.{dataset}` has a message without a number"));
            }
            if list.iter().take(n).any(|before| before.infno == message.infno) {
                return Err(format!("`messages.{dataset}` names message `{}` twice", message.infno));
            }
            if message.start_key.is_some() != message.end_key.is_some() {
                return Err(format!("`messages.{dataset}`: message `{}` needs both `start_key` and `end_key`, or neither", message.infno));
            }
        }
    }
    Ok(())
}

/// What is wrong with it beside the contracts.
pub(crate) fn check_against(messages: &IndexMap<String, Messages>, datasets: &[Dataset]) -> Result<(), String> {
    for (name, Messages(list)) in messages {
        let Some(dataset) = datasets.iter().find(|dataset| &dataset.name == name && dataset.source == SourceKind::Platform) else {
            return Err(format!("`messages.{name}`: the platform has no dataset `{name}`"));
        };
        for message in list {
            let columns =
                message.keys.values().map(|column| ("keys", column)).chain(message.constants.keys().map(|column| ("constants", column)));
            for (table, column) in columns {
                if dataset.column(column).is_none() {
                    return Err(format!(
                        "`messages.{name}`: `{table}` of message `{}` names column `{column}`, which `{name}` has not",
                        message.infno
                    ));
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    struct Table {
        messages: IndexMap<String, Messages>,
    }

    const TEXT: &str = "[messages]\nenterprise = \"C1\"\nshp = { infno = \"Z3\", start_key = \"a\", end_key = \"b\" }\n\
        ord_detl = [\"Z1\", { infno = \"Z2\", keys = { disCnt = \"purc_cnt\" }, constants = { prod_type = \"2\" } }]\n";

    #[test]
    fn numbers_tables_and_lists_of_them() {
        let table: Table = toml::from_str(TEXT).unwrap();
        assert_eq!(table.messages["enterprise"], Messages(vec![Message::plain("C1")]));
        assert_eq!(table.messages["shp"].0[0].start_key.as_deref(), Some("a"));
        assert_eq!(table.messages["ord_detl"].infnos(), "Z1+Z2");
        assert_eq!(table.messages["ord_detl"].0[1].constants["prod_type"], "2");
        assert_eq!(toml::from_str::<Table>(&toml::to_string(&table).unwrap()).unwrap(), table);
        let wrong = toml::from_str::<Table>("[messages]\nshp = { infno = \"Z\", constant = {} }").unwrap_err();
        assert!(wrong.message().contains("unknown field `constant`"), "{wrong}");
        assert!(toml::from_str::<Table>("[messages]\nshp = 3").is_err());
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let registry = yaojia_models::contract::Registry::embedded().unwrap();
        let error = |text: &str| {
            let table: Table = toml::from_str(text).unwrap();
            check(&table.messages).and_then(|()| check_against(&table.messages, registry.datasets())).unwrap_err()
        };
        assert!(error("[messages]\nshp = []").contains("messages.shp"));
        assert!(error("[messages]\nshp = [\"A\", \"A\"]").contains("twice"));
        assert!(error("[messages]\nshp = { infno = \"A\", start_key = \"x\" }").contains("end_key"));
        assert!(error("[messages]\nshipments = \"A\"").contains("no dataset `shipments`"));
        assert!(error("[messages]\nfee_list = \"A\"").contains("no dataset `fee_list`"));
        assert!(error("[messages]\nshp = { infno = \"A\", constants = { prod_typ = \"1\" } }").contains("column `prod_typ`"));
        assert!(error("[messages]\nshp = { infno = \"A\", keys = { x = \"y\" } }").contains("`keys` of message `A`"));
    }
}
