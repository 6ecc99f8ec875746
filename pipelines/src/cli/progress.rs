//! Progress of a run: bars on a terminal, lines for those who asked for more.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::printer::Printer;
use crate::progress::Progress;

/// Progress shown by a printer.
pub struct Bars<'a> {
    printer: &'a Printer,
    bar: Option<ProgressBar>,
    last: Mutex<String>,
}

impl<'a> Bars<'a> {
    /// Bars of a printer; none where it shows no progress.
    #[must_use]
    pub fn new(printer: &'a Printer) -> Self {
        let bar = printer.style().progress.then(|| {
            let bar = printer.bars().add(ProgressBar::new_spinner());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { printer, bar, last: Mutex::new(String::new()) }
    }

    fn is_new(&self, text: &str) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let new = *last != text;
        if new {
            text.clone_into(&mut last);
        }
        new
    }
}

impl Progress for Bars<'_> {
    fn stage(&self, text: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_style(style("{spinner} {prefix}  {wide_msg}"));
                bar.set_prefix(text.to_owned());
                bar.set_message("");
            }
            None => self.printer.detail(text),
        }
    }

    fn step(&self, text: &str, done: u64, total: Option<u64>) {
        let Some(bar) = &self.bar else {
            if self.is_new(text) {
                self.printer.detail(&format!("  {text}"));
            }
            return;
        };
        if let Some(total) = total {
            bar.set_style(style("{spinner} {prefix}  {bar:24} {pos}/{len}  {wide_msg}"));
            bar.set_length(total);
        } else {
            bar.set_style(style("{spinner} {prefix}  {pos}  {wide_msg}"));
        }
        bar.set_position(done);
        bar.set_message(text.to_owned());
    }
}

impl Drop for Bars<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
