//! What the timestamps of Parquet's old kind (INT96) mean: the type does not say, the file's writer does.

use serde::{Deserialize, Serialize};

/// What an INT96 timestamp is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Int96 {
    /// An instant in UTC, as Spark and Hive write it; in Asia/Shanghai it is eight hours later.
    Utc,
    /// The clock on the wall, as Impala writes it.
    Local,
}

/// Hours from UTC to Asia/Shanghai.
const SHANGHAI: i64 = 8;

/// Minutes to add to the INT96 timestamps of a file to have the clock on the wall; none where its writer does not tell.
///
/// `created_by` and the keys of the footer decide, then `said`, which somebody configured. Hive names the zone it converted from
/// (`writer.time.zone`): its times are put back to what was written there. Spark's and Photon's are instants, and so are those of
/// parquet-mr, the library under both and under older Hives (Impala and Trino read it so).
pub(super) fn int96_minutes<'k>(
    created_by: Option<&str>,
    keys: impl IntoIterator<Item = (&'k str, Option<&'k str>)>,
    said: Option<Int96>,
) -> Option<i64> {
    let writer = created_by.unwrap_or_default().to_ascii_lowercase();
    let (mut spark, mut zone) = (false, None);
    for (key, value) in keys {
        spark |= key.starts_with("org.apache.spark.");
        if key == "writer.time.zone" {
            zone = value;
        }
    }
    let utc = ["parquet-mr", "spark", "hive", "photon", "databricks"].iter().any(|name| writer.contains(name));
    let told = if spark {
        Some(SHANGHAI * 60)
    } else if let Some(zone) = zone {
        minutes_of(zone)
    } else if writer.contains("impala") {
        Some(0)
    } else {
        utc.then_some(SHANGHAI * 60)
    };
    told.or_else(|| said.map(|said| if said == Int96::Utc { SHANGHAI * 60 } else { 0 }))
}

/// Minutes from UTC to a zone as Java names it; none of one whose offset changed, or that is not known here.
fn minutes_of(zone: &str) -> Option<i64> {
    let hours = match zone {
        "UTC" | "GMT" | "Z" | "Etc/UTC" | "Etc/GMT" | "UCT" | "Zulu" | "Universal" => 0,
        "Asia/Urumqi" | "Asia/Kashgar" => 6,
        "Asia/Shanghai" | "Asia/Chongqing" | "Asia/Chungking" | "Asia/Harbin" | "PRC" | "CTT" | "Asia/Hong_Kong" | "Hongkong"
        | "Asia/Macau" | "Asia/Taipei" | "Etc/GMT-8" => SHANGHAI,
        _ => return offset(zone),
    };
    Some(hours * 60)
}

/// `+08:00`, `GMT+8`, `UTC+08:00`.
fn offset(zone: &str) -> Option<i64> {
    let rest = zone.strip_prefix("GMT").or_else(|| zone.strip_prefix("UTC")).unwrap_or(zone);
    let (sign, rest) = match rest.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
    let number = |text: &str, below: i64| -> Option<i64> {
        let plain = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| plain && *number < below)
    };
    Some(sign * (number(hours, 19)? * 60 + number(minutes, 60)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_says_what_a_time_is() {
        let shanghai = Some(480);
        let minutes = |writer: &str, keys: &[(&'static str, &'static str)], said| {
            int96_minutes(Some(writer), keys.iter().map(|(key, value)| (*key, Some(*value))), said)
        };
        let mr = "parquet-mr version 1.10.1 (build a89df8f9932b6ef6633d06069e50c9b7970bebd1)";
        assert_eq!(minutes(mr, &[("org.apache.spark.version", "3.4.1")], None), shanghai);
        // a Spark that keeps the old calendar says so with its zone: instants all the same
        assert_eq!(minutes(mr, &[("org.apache.spark.legacyINT96", ""), ("org.apache.spark.timeZone", "UTC")], None), shanghai);
        assert_eq!(minutes(mr, &[], None), shanghai);
        assert_eq!(minutes(mr, &[], Some(Int96::Local)), shanghai, "a setting is for files that do not say");
        assert_eq!(minutes("Apache Hive 3.1.3", &[], None), shanghai);
        assert_eq!(minutes("parquet-mr compatible Photon version 0.3", &[], None), shanghai);
        assert_eq!(minutes("impala version 3.4.0-RELEASE (build 1)", &[], None), Some(0));
        // Hive puts back what it took off
        for (zone, want) in [
            ("Asia/Shanghai", shanghai),
            ("UTC", Some(0)),
            ("GMT+08:00", shanghai),
            ("+08:00", shanghai),
            ("UTC+8", shanghai),
            ("-03:30", Some(-210)),
            ("Asia/Urumqi", Some(360)),
            ("America/New_York", None),
            ("GMT+8:", None),
            ("+99", None),
            ("", None),
        ] {
            assert_eq!(int96_minutes(Some(mr), [("writer.time.zone", Some(zone))], None), want, "{zone}");
        }
        for writer in ["parquet-cpp-arrow version 26.0.1", "DuckDB", ""] {
            assert_eq!(minutes(writer, &[], None), None);
            assert_eq!(minutes(writer, &[], Some(Int96::Utc)), shanghai);
            assert_eq!(minutes(writer, &[], Some(Int96::Local)), Some(0));
        }
        assert_eq!(int96_minutes(None, [], None), None);
    }
}
