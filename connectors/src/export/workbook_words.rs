//! What a workbook says beside its cells: names of sheets, comments, text boxes, headers and footers of pages, who made it.

use std::io::{self, BufReader, Cursor, Read, Seek};

use zip::ZipArchive;

use crate::kit::artifact::ArtifactBytes;
use crate::kit::personal::PersonalRules;

/// Text read of one part of a workbook; further text is looked at no more.
const PART_BYTES: u64 = 16 << 20;
/// Names that programs give themselves or that stand for nobody, lower case: as beginnings.
const NOBODY: &[&str] = &[
    "administrator",
    "admin",
    "apache poi",
    "aspose",
    "calamine",
    "closedxml",
    "easyexcel",
    "epplus",
    "excel",
    "exceljs",
    "libreoffice",
    "microsoft",
    "mshtml",
    "npoi",
    "openpyxl",
    "openoffice",
    "pandas",
    "phpexcel",
    "phpspreadsheet",
    "poi",
    "root",
    "sheetjs",
    "system",
    "unknown",
    "user",
    "windows",
    "wps",
    "xlsxwriter",
    "无",
    "匿名",
    "系统",
    "未知",
];

/// Whether a workbook speaks of a person outside its cells, or names the person who made it. One that cannot be read speaks of nobody:
/// whoever reads its cells will tell.
pub(crate) fn speak_of_person(bytes: &ArtifactBytes, rules: &PersonalRules) -> bool {
    match bytes {
        ArtifactBytes::Memory(bytes) => speak(Cursor::new(bytes.clone()), rules),
        ArtifactBytes::File(file) => speak(BufReader::new(file.reader()), rules),
    }
    .unwrap_or(false)
}

fn speak<R: Read + Seek>(bytes: R, rules: &PersonalRules) -> io::Result<bool> {
    let mut archive = ZipArchive::new(bytes).map_err(io::Error::other)?;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(io::Error::other)?;
        let name = part.name().map_err(io::Error::other)?.to_ascii_lowercase();
        let worksheet = name.starts_with("xl/worksheets/sheet");
        if !name.ends_with(".xml") && !name.ends_with(".vml") || is_form_only(&name) {
            continue;
        }
        let mut text = Vec::new();
        part.take(PART_BYTES).read_to_end(&mut text)?;
        let text = String::from_utf8_lossy(&text);
        let found = if name.starts_with("docprops/") {
            named_in_properties(&text) || words(&text).any(|word| rules.mentions_personal(&word))
        } else if worksheet {
            // its cells are read elsewhere
            let footer = text.find("<headerFooter").and_then(|at| text.get(at..)).unwrap_or_default();
            words(footer).any(|word| rules.mentions_personal(&word))
        } else {
            words(&text).any(|word| rules.mentions_personal(&word))
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Parts in which nobody writes words: cells' texts are read as cells.
fn is_form_only(name: &str) -> bool {
    name.starts_with("xl/theme/")
        || name.starts_with("_rels/")
        || name.contains("/_rels/")
        || name == "[content_types].xml"
        || matches!(name, "xl/styles.xml" | "xl/sharedstrings.xml" | "xl/calcchain.xml")
}

/// Whether the properties name who made the workbook, and it is no program.
fn named_in_properties(xml: &str) -> bool {
    ["creator", "lastModifiedBy", "Manager"].iter().any(|element| {
        let tag = format!("{element}>");
        let parts = xml.split(tag.as_str()).skip(1).step_by(2);
        parts.filter_map(|rest| rest.split('<').next()).map(unescaped).any(|name| {
            let name = name.trim().to_lowercase();
            !name.is_empty() && !NOBODY.iter().any(|nobody| name.starts_with(nobody))
        })
    })
}

/// The texts of an XML file, of its elements and of its attributes.
fn words(xml: &str) -> impl Iterator<Item = String> + '_ {
    let elements = xml.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text);
    let attributes = xml.split('<').filter_map(|part| part.split('>').next()).flat_map(|tag| tag.split('"').skip(1).step_by(2));
    // a run of formatted text is several elements: 联系<b>电话</b>
    let whole: String = elements.clone().collect();
    elements.chain(attributes).filter(|text| text.len() > 1).map(unescaped).chain(std::iter::once(unescaped(&whole)))
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let Some((entity, behind)) = after.split_once(';').filter(|(entity, _)| entity.len() <= 8) else {
            out.push('&');
            rest = after;
            continue;
        };
        let code = match entity.strip_prefix("#x").or_else(|| entity.strip_prefix("#X")) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => entity.strip_prefix('#').and_then(|decimal| decimal.parse().ok()),
        };
        out.push(code.and_then(char::from_u32).unwrap_or(' '));
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use rust_xlsxwriter::{DocProperties, Note, Workbook};

    use super::*;
    use crate::kit::personal::PersonalConfig;

    fn speaks(make: impl Fn(&mut Workbook)) -> bool {
        let mut workbook = Workbook::new();
        workbook.add_worksheet().write(0, 0, "数量").unwrap();
        make(&mut workbook);
        let bytes = ArtifactBytes::Memory(workbook.save_to_buffer().unwrap().into());
        speak_of_person(&bytes, &PersonalRules::new(&PersonalConfig::default()).unwrap())
    }

    #[test]
    fn what_stands_beside_the_cells_is_read() {
        assert!(!speaks(|_| {}));
        assert!(!speaks(|book| {
            book.set_properties(&DocProperties::new().set_author("openpyxl").set_title("库存表"));
        }));
        assert!(speaks(|book| {
            book.set_properties(&DocProperties::new().set_author("测试丁"));
        }));
        assert!(speaks(|book| {
            book.set_properties(&DocProperties::new().set_comment("制表人：测试丁"));
        }));
        assert!(speaks(|book| {
            book.set_properties(&DocProperties::new().set_manager("测试丁"));
        }));
        assert!(speaks(|book| {
            book.add_worksheet().set_name("患者姓名与电话").unwrap();
        }));
        assert!(speaks(|book| {
            let sheet = book.add_worksheet();
            sheet.insert_note(0, 0, &Note::new("经办人 13800000000")).unwrap();
        }));
        assert!(speaks(|book| {
            book.add_worksheet().set_footer("&L制表人：测试丁");
        }));
        assert!(!speaks(|book| {
            let sheet = book.add_worksheet().set_name("库存").unwrap();
            sheet.insert_note(0, 0, &Note::new("按最小单位").set_author("")).unwrap();
            sheet.set_footer("&L第 &P 页");
        }));
    }

    #[test]
    fn what_is_no_workbook_speaks_of_nobody() {
        let rules = PersonalRules::new(&PersonalConfig::default()).unwrap();
        assert!(!speak_of_person(&ArtifactBytes::Memory("联系电话".into()), &rules));
        assert_eq!(unescaped("&#32852;&#x7CFB;&amp;a&b"), "联系 a&b");
    }
}
