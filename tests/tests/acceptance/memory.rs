//! Memory does not grow with a file.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::support::{Platform, Project, copy, world};

/// A fee file of about so many million bytes; gives its rows.
fn fee_file(path: &Path, megabytes: u64) -> u64 {
    let header = "BKKP_SN,SETL_ID,FEE_OCUR_TIME,FIXMEDINS_CODE,PSN_NO,PSN_NAME,LIST_TYPE,MED_LIST_CODG,MEDINS_LIST_CODG,HILIST_NAME,CNT,PRIC,DET_ITEM_FEE_SUMAMT,HI_FEESETL_TYPE,VALI_FLAG,UPDT_TIME";
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut out = BufWriter::new(fs::File::create(path).unwrap());
    writeln!(out, "{header}").unwrap();
    let (mut written, mut rows, mut dice) = (0, 0_u64, 7_u64);
    while written < megabytes * 1_000_000 {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (person, item, day) = (dice >> 20, dice % 3000, dice % 28 + 1);
        let row = format!(
            "652801202403{rows:012},SETL{person:014},2024-03-{day:02} 10:00:00,H65280100001,P{person:018},测试,101,XA{item:018}BCD,L{item:06},药品名称{item}片剂（薄膜衣）,2,12.50,25.00,1,1,2024-03-{day:02} 11:00:00\n"
        );
        out.write_all(row.as_bytes()).unwrap();
        written += row.len() as u64;
        rows += 1;
    }
    out.flush().unwrap();
    rows
}

/// Loads a file of so many million bytes; gives the greatest resident set in MiB.
fn peak_of_loading(url: &str, megabytes: u64) -> u64 {
    let held = tempfile::tempdir().unwrap();
    let place = held.path().join("world");
    fs::create_dir_all(&place).unwrap();
    fs::copy(world().join("aliases.json"), place.join("aliases.json")).unwrap();
    let rows = fee_file(&place.join("exports/fee_list/652801/202403/big.csv"), megabytes);
    let project = Project::fresh(&place, url);
    let (report, errors) = (held.path().join("report.json"), held.path().join("errors"));
    let mut load = project.command(["load", "--json", "--no-progress"]);
    load.stdout(fs::File::create(&report).unwrap()).stderr(fs::File::create(&errors).unwrap()).stdin(Stdio::null());
    let mut child = load.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0_u64;
    let code = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) / 1024);
        if let Some(code) = child.try_wait().unwrap() {
            break code;
        }
        thread::sleep(Duration::from_millis(20));
    };
    assert!(code.success(), "{code}: {}", fs::read_to_string(&errors).unwrap());
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
    assert_eq!(report["load"]["datasets"]["fee_list"]["appended"].as_u64(), Some(rows));
    peak
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "the greatest resident set is read from /proc")]
fn it_does_not_grow_with_a_file() {
    let folder = tempfile::tempdir().unwrap();
    // a platform with little to say: the files are the matter
    let quiet = folder.path().join("world");
    copy(&world(), &quiet);
    fs::remove_dir_all(quiet.join("exports")).unwrap();
    let platform = Platform::serve(&quiet);
    let (small, large) = (peak_of_loading(&platform.url, 60), peak_of_loading(&platform.url, 160));
    println!("60 MB: {small} MiB, 160 MB: {large} MiB");
    assert!(small > 50, "nothing was measured: {small} MiB");
    // Held whole, a hundred million bytes more would take some 300 MiB more; how full the buffers are at the moment differs from run to run.
    assert!(large < 512 && large <= small + 128, "memory grew from {small} to {large} MiB");
}
