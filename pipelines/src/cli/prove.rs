//! `yaojia prove`: models run again in other ways must give the same digests, and those that are published.

use clap::Args;
use serde_json::json;
use yaojia_warehouse::gold::Proof;

use super::progress::Bars;
use super::table::Table;
use super::{App, CliError, ExitStatus};

/// Digits of a digest that are shown.
const SHOWN: usize = 16;

/// Arguments of `prove`.
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// Dimensions, facts, indicators: fact_receipt, dim_product, D05
    #[arg(value_name = "TABLE|INDICATOR", required_unless_present = "all", conflicts_with = "all")]
    pub names: Vec<String>,
    /// Every dimension, fact and indicator
    #[arg(long)]
    pub all: bool,
    /// In two ways in place of five
    #[arg(long)]
    pub quick: bool,
}

/// Proves and prints; exit 1 when a model is not the same every time or not what is published.
pub(super) async fn prove(app: &App, args: &ProveArgs) -> Result<ExitStatus, CliError> {
    let project = app.reading()?;
    let proofs = {
        let bars = Bars::new(&app.printer);
        crate::publish::prove(&project, &args.names, args.quick, &bars).await?
    };
    let bad: Vec<&Proof> = proofs.iter().filter(|proof| proof.difference.is_some()).collect();
    if app.json() {
        app.printer.json("prove", &json!({"ok": bad.is_empty(), "models": proofs}))?;
    } else {
        let mut table = Table::new(["model", "cells", "rows", "stale", "cut", "variants", "digest"]);
        for proof in &proofs {
            let digest = proof.variants.first().map(|ran| ran.digest.chars().take(SHOWN).collect()).unwrap_or_default();
            table.push([
                proof.model.clone(),
                proof.cells.to_string(),
                proof.rows.to_string(),
                proof.stale.to_string(),
                proof.cut.to_string(),
                proof.variants.len().to_string(),
                if proof.difference.is_some() { "DIFFERS".to_owned() } else { digest },
            ]);
        }
        app.printer.table("", &table);
        if let Some(proof) = proofs.first() {
            let variants: Vec<String> = proof.variants.iter().map(|ran| ran.variant.to_string()).collect();
            app.printer.text(&format!("variants: {}", variants.join("; ")));
        }
        for proof in &bad {
            app.printer.text(&format!("{}: {}", proof.model, proof.difference.as_deref().unwrap_or_default()));
        }
    }
    Ok(if bad.is_empty() { ExitStatus::Done } else { ExitStatus::Negative })
}
