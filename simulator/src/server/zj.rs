//! The same world in dialect `zj`: which messages feed which dataset, and what they call things there.

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::fields::{Fields, fields, written};
use crate::platform_data::{DatasetRows, PlatformData};

/// Which rows of a dataset a message gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Share {
    All,
    /// Everything that is no consumable.
    Drugs,
    Consumables,
}

/// One message: where its rows come from, and how they are written.
#[derive(Debug)]
struct Feed {
    infno: &'static str,
    dataset: &'static str,
    /// The names of a window's ends in a request.
    window: (&'static str, &'static str),
    share: Share,
    /// Usual key → key in this message.
    keys: &'static [(&'static str, &'static str)],
    /// A key every row has with this value, and which is therefore not written.
    constant: Option<(&'static str, &'static str)>,
    /// Numbers that this message writes as text.
    text_numbers: &'static [&'static str],
}

const USUAL: Feed = Feed {
    infno: "",
    dataset: "",
    window: ("startUpdtTime", "endUpdtTime"),
    share: Share::All,
    keys: &[],
    constant: None,
    text_numbers: &[],
};

const FEEDS: &[Feed] = &[
    Feed { infno: "ZJ9621", dataset: "enterprise", ..USUAL },
    Feed { infno: "ZJ9622", dataset: "institution", ..USUAL },
    Feed { infno: "ZJ9630", dataset: "vbp_batch", ..USUAL },
    Feed { infno: "ZJ9631", dataset: "vbp_prod", ..USUAL },
    Feed { infno: "ZJ9632", dataset: "vbp_agrm", ..USUAL },
    Feed { infno: "ZJ9633", dataset: "tri_agrm", ..USUAL },
    Feed { infno: "ZJ9670", dataset: "purc_plan", ..USUAL },
    Feed { infno: "ZJ9635", dataset: "pay_detl", ..USUAL },
    Feed { infno: "ZJ9636", dataset: "appeal", ..USUAL },
    Feed { infno: "ZJ9637", dataset: "ref_pric", ..USUAL },
    Feed {
        infno: "ZJ9652",
        dataset: "drug_listing",
        window: ("strUpTime", "endUpTime"),
        keys: &[("updtTime", "UpdateTime"), ("pricEffTime", "AddDateTime")],
        ..USUAL
    },
    Feed { infno: "ZJ9700", dataset: "mcs_listing", window: ("strUpTime", "endUpTime"), ..USUAL },
    Feed {
        infno: "ZJ9657",
        dataset: "ord_detl",
        window: ("crteTimeUn", "crteTimeEn"),
        share: Share::Drugs,
        keys: &[("ordCode", "purcCode")],
        constant: Some(("prodType", "1")),
        ..USUAL
    },
    Feed {
        infno: "ZJ9708",
        dataset: "ord_detl",
        share: Share::Consumables,
        keys: &[("ordCode", "PurcCode")],
        constant: Some(("prodType", "2")),
        text_numbers: &["purcCnt"],
        ..USUAL
    },
    Feed { infno: "ZJ9671", dataset: "shp", window: ("shpUpdateStartTime", "shpUpdateEndTime"), share: Share::Drugs, ..USUAL },
    Feed {
        infno: "ZJ9721",
        dataset: "shp",
        share: Share::Consumables,
        keys: &[("shpCnt", "disCnt"), ("shpTime", "disTime"), ("shppCnt", "wanCnt"), ("shppTime", "wanTime")],
        ..USUAL
    },
    Feed { infno: "ZJ9660", dataset: "retn", share: Share::Drugs, ..USUAL },
    Feed { infno: "ZJ9711", dataset: "retn", share: Share::Consumables, ..USUAL },
];

/// A message as it is served.
#[derive(Debug)]
pub(crate) struct Message {
    /// Its number.
    pub infno: &'static str,
    /// The names of a window's ends in a request.
    pub window: (&'static str, &'static str),
    /// The keys that name a row: all a failed line shows of it.
    pub key: Vec<String>,
    /// Its rows, as this message writes them.
    pub rows: DatasetRows,
}

/// All messages over a world's rows.
pub(crate) fn messages(data: &PlatformData) -> Vec<Message> {
    let consumables = consumable_orders(data);
    let serve = |feed: &Feed| {
        let share = |row: &[u8]| feed.takes(row, &consumables);
        Message {
            infno: feed.infno,
            window: feed.window,
            key: data.key_names(feed.dataset).into_iter().flatten().map(|key| feed.name(&key).to_owned()).collect(),
            rows: data.view(feed.dataset, share, |row| feed.write(row)),
        }
    };
    FEEDS.iter().map(serve).collect()
}

/// The order lines of consumables, by id: shipments and returns do not say what they are.
fn consumable_orders(data: &PlatformData) -> HashSet<String> {
    let lines = data.dataset("ord_detl").into_iter().flat_map(|set| (0..set.len()).filter_map(|at| set.row(at)));
    lines.filter_map(fields).filter(is_consumable).filter_map(|row| text(&row, "ordDetlId")).collect()
}

fn is_consumable(row: &Fields<'_>) -> bool {
    text(row, "prodType").as_deref() == Some("2")
}

/// A value without its quotes and blanks, as a client compares it.
fn text(row: &Fields<'_>, name: &str) -> Option<String> {
    let value = row.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.get())?;
    Some(value.trim_matches(['"', ' ']).to_owned())
}

impl Feed {
    fn takes(&self, row: &[u8], consumables: &HashSet<String>) -> bool {
        let consumable = || {
            let Some(row) = fields(row) else { return false };
            match self.dataset {
                "ord_detl" => is_consumable(&row),
                _ => text(&row, "ordDetlId").is_some_and(|id| consumables.contains(&id)),
            }
        };
        match self.share {
            Share::All => true,
            Share::Drugs => !consumable(),
            Share::Consumables => consumable(),
        }
    }

    fn name<'k>(&self, key: &'k str) -> &'k str {
        self.keys.iter().find(|(usual, _)| *usual == key).map_or(key, |(_, here)| here)
    }

    /// A row as this message writes it; what is no JSON object stays as it is.
    fn write(&self, row: &[u8]) -> Vec<u8> {
        let Some(Fields(members)) = fields(row) else { return row.to_vec() };
        let mut out: Vec<(&str, String)> = Vec::with_capacity(members.len());
        let constant = |key: &str, value: &RawValue| self.constant.is_some_and(|(k, v)| k == key && value.get().trim_matches('"') == v);
        for (key, value) in &members {
            if constant(key, value) {
                continue;
            }
            let number = value.get().starts_with(|c: char| c.is_ascii_digit() || c == '-');
            let value =
                if number && self.text_numbers.contains(&key.as_str()) { format!("\"{}\"", value.get()) } else { value.get().to_owned() };
            out.push((self.name(key), value));
        }
        // A row without the value is not one with the usual value: it says so.
        if let Some((key, _)) = self.constant.filter(|(key, _)| members.iter().all(|(k, _)| k != key)) {
            out.push((key, "null".to_owned()));
        }
        written(out.iter().map(|(key, value)| (*key, value.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(infno: &str) -> &'static Feed {
        FEEDS.iter().find(|feed| feed.infno == infno).unwrap()
    }

    fn write(infno: &str, row: &str) -> String {
        String::from_utf8(feed(infno).write(row.as_bytes())).unwrap()
    }

    #[test]
    fn rows_keep_their_digits_and_get_the_message_s_names() {
        let row = r#"{"ordDetlId":3120240100000000002,"ordCode":"a\"b","prodType":"2","purcCnt":1.50,"updtTime":"t"}"#;
        assert_eq!(write("ZJ9708", row), r#"{"ordDetlId":3120240100000000002,"PurcCode":"a\"b","purcCnt":"1.50","updtTime":"t"}"#);
        assert_eq!(write("ZJ9657", r#"{"prodType":"7"}"#), r#"{"prodType":"7"}"#);
        assert_eq!(write("ZJ9657", r#"{"ordDetlId":"1"}"#), r#"{"ordDetlId":"1","prodType":null}"#);
        assert_eq!(write("ZJ9657", "no json"), "no json");
        assert_eq!(write("ZJ9652", r#"{"updtTime":"t","pricEffTime":"u"}"#), r#"{"UpdateTime":"t","AddDateTime":"u"}"#);
    }

    #[test]
    fn every_row_is_in_exactly_one_message() {
        let world = crate::generate(&crate::WorldConfig::tiny(3)).unwrap();
        let data = world.platform_data();
        let messages = messages(&data);
        for dataset in crate::schema::platform_datasets() {
            let rows: usize =
                FEEDS.iter().zip(&messages).filter(|(feed, _)| feed.dataset == dataset).map(|(_, message)| message.rows.len()).sum();
            assert_eq!(rows, data.dataset(dataset).unwrap().len(), "{dataset}");
        }
        let rows = |infno: &str| messages.iter().find(|message| message.infno == infno).unwrap().rows.len();
        assert!(["ZJ9657", "ZJ9708", "ZJ9671", "ZJ9721"].iter().all(|infno| rows(infno) > 0));
    }
}
