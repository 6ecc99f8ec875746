//! What lies in the warehouse: tables, ledger and releases fit each other; with `--deep`, every byte is what it was written as.

use std::collections::BTreeMap;

use yaojia_models::contract::Registry;
use yaojia_warehouse::audit::seal::Finding;
use yaojia_warehouse::audit::{Inspection, inspect_bytes, inspect_tables};
use yaojia_warehouse::keep::{Tally, strays};
use yaojia_warehouse::ledger::last_run;
use yaojia_warehouse::store::Archive;
use yaojia_warehouse::{Root, WarehouseError};

use super::super::{CliError, ExitStatus};
use super::Report;
use crate::config::Config;

pub(super) async fn contents(report: &mut Report<'_>, config: &Config, registry: Option<&Registry>, deep: bool) {
    let opened = async {
        let root = Root::open(&config.warehouse.location, config.storage_options()?)?;
        let archive = Archive::new(root.clone(), config.audit_keys()?);
        Ok::<_, CliError>((last_run(&root).await?.is_some(), root, archive))
    };
    let (there, root, archive) = match opened.await {
        Ok(opened) => opened,
        Err(error) => {
            report.note::<()>("tables", Err(error));
            return;
        }
    };
    let Some(registry) = registry else { return report.skip("tables", "the contracts do not load") };
    if !there {
        report.skip("tables", "nothing was ever written here");
        return;
    }
    let found = inspect_tables(&root, registry).await.map_err(CliError::from);
    let said =
        |found: &Inspection| format!("{} tables open, {} files in place, {} cells as on record", found.tables, found.files, found.cells);
    tell(report, "tables", found, said);
    let outcome = strays(&root).await.map_err(CliError::from).map(|found| ((), stray(&found)));
    report.note("strays", outcome);
    if !deep {
        report.skip("bytes", "`--deep` reads every file");
        return;
    }
    let found = inspect_bytes(&root, &archive).await.map_err(CliError::from);
    let said = |found: &Inspection| match found.closed {
        0 => format!("{} files are what they were written as", found.hashed),
        closed => format!("{} files are what they were written as; {closed} encrypted originals need the auditor's identity", found.hashed),
    };
    tell(report, "bytes", found, said);
}

/// Files that belong to nothing are no fault: a killed run leaves them, and a run at work has some.
fn stray(found: &BTreeMap<String, Tally>) -> String {
    if found.is_empty() {
        return "no file belongs to nothing".to_owned();
    }
    let tables: Vec<String> = found.iter().map(|(of, tally)| format!("{of} {} files ({} bytes)", tally.files, tally.bytes)).collect();
    format!("files that belong to nothing, left by killed runs or of one at work; `yaojia maintain` removes them: {}", tables.join(", "))
}

/// One line where all is well, else one for each finding.
fn tell(report: &mut Report<'_>, name: &'static str, found: Result<Inspection, CliError>, said: impl Fn(&Inspection) -> String) {
    match found {
        Err(error) => {
            report.note::<()>(name, Err(error));
        }
        Ok(found) if found.findings.is_empty() => {
            report.note(name, Ok(((), said(&found))));
        }
        Ok(found) => {
            for Finding { what, why } in found.findings {
                let error = CliError {
                    hint: Some(
                        "restore it from a backup, or build the table again: `yaojia build` makes silver and gold from bronze".to_owned(),
                    ),
                    exit: ExitStatus::Negative,
                    ..WarehouseError::Audit { what, why }.into()
                };
                report.note::<()>(name, Err(error));
            }
        }
    }
}
