//! Looks over an OLE container (an old workbook) before its reader does: the reader follows what the file says of itself, round and round
//! where its table of sectors is a ring, and keeps room for as many cells as a sheet says it has. Room that cannot be had ends the process.

/// How an OLE container begins.
pub(crate) const OLE: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];

const END: u32 = 0xffff_fffe;
/// Sector numbers from here on are marks.
const MARKS: u32 = 0xffff_fffa;
/// Cells a sheet may say it has: all that an old sheet can hold, four times.
const CELLS: u64 = 1 << 26;

/// Whether the container can be given to its reader; what is broken without being dangerous is the reader's to refuse.
pub(super) fn is_sound(bytes: &[u8]) -> bool {
    sound(bytes).unwrap_or(true)
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    (0..bytes.len() / 4).filter_map(|at| word(bytes, at * 4))
}

/// None where the container ends before it can be told.
fn sound(bytes: &[u8]) -> Option<bool> {
    let size = match half(bytes, 30)? {
        9 => 512,
        12 => 4096,
        _ => return None,
    };
    let sector = |id: u32| {
        let start = (usize::try_from(id).ok()?.checked_add(1)?).checked_mul(size)?;
        bytes.get(start..bytes.len().min(start.checked_add(size)?))
    };
    let sectors = bytes.len() / size + 1;
    let mut tables: Vec<u32> = words(bytes.get(76..512)?).collect();
    let mut next = word(bytes, 68)?;
    for _ in 0..=sectors {
        if next >= MARKS {
            break;
        }
        tables.extend(words(sector(next)?));
        next = tables.pop()?;
    }
    let mut fat: Vec<u32> = Vec::new();
    for id in tables.into_iter().filter(|id| *id < MARKS) {
        fat.extend(words(sector(id)?));
    }
    // the folder is read to its end, however long
    let mut entries: Vec<&[u8]> = Vec::new();
    let (mut id, mut steps) = (word(bytes, 48)?, 0);
    while id != END {
        steps += 1;
        if steps > sectors {
            return Some(false);
        }
        entries.extend(sector(id)?.chunks_exact(128));
        id = *fat.get(usize::try_from(id).ok()?)?;
    }
    let length = |entry: &[u8]| {
        let high = if size == 512 { 0 } else { word(entry, 124).unwrap_or_default() };
        u64::from(high) << 32 | u64::from(word(entry, 120).unwrap_or_default())
    };
    let most = bytes.len() as u64;
    if u64::from(word(bytes, 64)?) * size as u64 > most || entries.iter().any(|entry| length(entry) > most) {
        return Some(false);
    }
    let chain = |start: u32, length: u64, table: &[u32], sector: &dyn Fn(u32) -> Option<Vec<u8>>| {
        let (mut id, mut stream) = (start, Vec::new());
        while id != END && (stream.len() as u64) < length {
            let part = sector(id).filter(|part| !part.is_empty())?;
            stream.extend(part);
            id = *table.get(usize::try_from(id).ok()?)?;
        }
        stream.truncate(usize::try_from(length).ok()?);
        Some(stream)
    };
    let large = |id: u32| sector(id).map(<[u8]>::to_vec);
    let named = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        entries.iter().find(move |entry| entry.get(..wide.len()).is_some_and(|held| held.eq_ignore_ascii_case(&wide))).copied()
    };
    let entry = named("Workbook").or_else(|| named("Book"))?;
    let (start, length_of) = (word(entry, 116)?, length(entry));
    let stream = if length_of < 4096 {
        let root = entries.first().copied()?;
        let minis = chain(word(root, 116)?, length(root), &fat, &large)?;
        let table: Vec<u32> = words(&chain(word(bytes, 60)?, u64::from(word(bytes, 64)?) * size as u64, &fat, &large)?).collect();
        let small = |id: u32| minis.get(usize::try_from(id).ok()? * 64..).map(|rest| rest.iter().take(64).copied().collect());
        chain(start, length_of, &table, &small)?
    } else {
        chain(start, length_of, &fat, &large)?
    };
    Some(sheets_fit(&stream))
}

/// The records of a stream from a position on: kind and content.
fn records(stream: &[u8], from: usize) -> impl Iterator<Item = (u16, &[u8])> {
    let mut at = from;
    std::iter::from_fn(move || {
        let (kind, length) = (half(stream, at)?, usize::from(half(stream, at + 2)?));
        let data = stream.get(at + 4..at + 4 + length)?;
        at += 4 + length;
        Some((kind, data))
    })
}

fn sheets_fit(stream: &[u8]) -> bool {
    let starts = records(stream, 0).filter(|(kind, _)| *kind == 0x0085).filter_map(|(_, data)| usize::try_from(word(data, 0)?).ok());
    let mut starts: Vec<usize> = starts.collect();
    starts.sort_unstable();
    starts.dedup();
    starts.into_iter().all(|start| {
        // the sheet's own part ends with EOF; parts of charts within it do not count
        let sheet = records(stream, start).take_while(|(kind, _)| *kind != 0x000a);
        sheet.filter(|(kind, _)| *kind == 0x0200).all(|(_, data)| fits(data).unwrap_or(true))
    })
}

/// Whether a sheet's dimensions can be kept room for.
fn fits(data: &[u8]) -> Option<bool> {
    let (first, last, left, right) = match data.len() {
        10 => (u32::from(half(data, 0)?), u32::from(half(data, 2)?), half(data, 4)?, half(data, 6)?),
        14 | 16 => (word(data, 0)?, word(data, 4)?, half(data, 8)?, half(data, 10)?),
        _ => return None,
    };
    let left = if left > 0xff || right < left { 0 } else { left };
    if last == 0 || right == 0 {
        return Some(true);
    }
    let (rows, columns) = (last.checked_sub(first).filter(|rows| *rows > 0), right.checked_sub(left).filter(|columns| *columns > 0));
    Some(rows.zip(columns).is_some_and(|(rows, columns)| u64::from(rows) * u64::from(columns) <= CELLS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dimensions_that_fit() {
        let of = |first: u32, last: u32, left: u16, right: u16| {
            let rows = [first.to_le_bytes(), last.to_le_bytes()].concat();
            [rows, left.to_le_bytes().to_vec(), right.to_le_bytes().to_vec(), vec![0, 0]].concat()
        };
        assert_eq!(fits(&of(0, 65_536, 0, 256)), Some(true));
        assert_eq!(fits(&of(0, 0, 0, 0)), Some(true));
        assert_eq!(fits(&of(0, u32::MAX, 0, 256)), Some(false));
        // what ends before it begins would be nearly endless
        assert_eq!(fits(&of(5, 3, 0, 2)), Some(false));
        assert_eq!(fits(&of(0, 3, 2, 2)), Some(false));
        assert_eq!(fits(&[0; 3]), None);
    }

    #[test]
    fn what_is_cut_short_is_for_the_reader_to_refuse() {
        assert!(is_sound(OLE) && is_sound(&[]));
    }
}
