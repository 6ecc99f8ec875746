//! The one place that writes to the terminal: data on stdout, everything else on stderr.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::MultiProgress;
use serde::Serialize;
use serde_json::{Map, Value};

use super::error::CliError;
use super::table::{Table, printable};

/// Version of the JSON documents.
pub const SCHEMA_VERSION: u32 = 1;

/// How much is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Level {
    /// Errors only.
    Quiet,
    /// Results and warnings too.
    #[default]
    Default,
    /// Steps too.
    Verbose,
}

/// How to print.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// One JSON document in place of tables.
    pub json: bool,
    /// How much on stderr.
    pub level: Level,
    /// Colour on stderr.
    pub color: bool,
    /// Progress bars.
    pub progress: bool,
}

type Sink = Mutex<Box<dyn Write + Send>>;

/// The printer.
pub struct Printer {
    style: Style,
    bars: MultiProgress,
    out: Sink,
    err: Sink,
    /// The first thing that kept data from being written.
    lost: Mutex<Option<std::io::Error>>,
}

impl Printer {
    /// Prints to the process's streams. Progress and colour appear only where stderr is a terminal; progress not when more is said.
    #[must_use]
    pub fn new(mut style: Style) -> Self {
        let terminal = std::io::stderr().is_terminal();
        style.color &= terminal;
        style.progress &= terminal && style.level == Level::Default;
        Self::to(style, Box::new(std::io::stdout()), Box::new(std::io::stderr()))
    }

    /// Prints to given streams.
    #[must_use]
    pub fn to(style: Style, out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        Self { style, bars: MultiProgress::new(), out: Mutex::new(out), err: Mutex::new(err), lost: Mutex::new(None) }
    }

    /// How it prints.
    #[must_use]
    pub const fn style(&self) -> Style {
        self.style
    }

    /// The bars of this terminal.
    #[must_use]
    pub const fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Data as lines of text.
    pub fn text(&self, text: &str) {
        let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        self.bars.suspend(|| {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            let written = write!(out, "{text}{end}").and_then(|()| out.flush());
            // A reader that went away (`yaojia … | head`) is no error; a disk that is full is.
            if let Err(error) = written
                && error.kind() != std::io::ErrorKind::BrokenPipe
            {
                self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        });
    }

    /// What kept data from being written, if anything did: the command did not give what it was asked for.
    #[must_use]
    pub fn lost(&self) -> Option<CliError> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(CliError::output)
    }

    /// A table, with a heading where there is one.
    pub fn table(&self, heading: &str, table: &Table) {
        let heading = if heading.is_empty() { String::new() } else { format!("{heading}\n") };
        self.text(&format!("{heading}{}", table.render()));
    }

    /// One JSON document: `schema_version`, `command`, then the fields of `body`.
    ///
    /// # Errors
    /// Where the body does not serialise.
    pub fn json(&self, command: &str, body: &impl Serialize) -> Result<(), CliError> {
        let body = serde_json::to_value(body).map_err(|error| CliError::layout(&error))?;
        let mut document = Map::new();
        document.insert("schema_version".to_owned(), SCHEMA_VERSION.into());
        document.insert("command".to_owned(), command.into());
        match body {
            Value::Object(fields) => document.extend(fields.into_iter().filter(|(name, _)| name != "schema_version" && name != "command")),
            other => drop(document.insert("data".to_owned(), other)),
        }
        self.bare_json(&Value::Object(document))
    }

    /// One JSON document as it is.
    ///
    /// # Errors
    /// Where it does not serialise.
    pub fn bare_json(&self, document: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(document).map_err(|error| CliError::layout(&error))?;
        self.text(&text);
        Ok(())
    }

    /// A line on stderr.
    pub fn note(&self, text: &str) {
        self.say(Level::Default, text);
    }

    /// A line on stderr for those who asked for more.
    pub fn detail(&self, text: &str) {
        self.say(Level::Verbose, text);
    }

    /// A warning.
    pub fn warn(&self, text: &str) {
        let mark = self.painted("33", "warning");
        self.say(Level::Default, &format!("{mark}: {}", printable(text)));
    }

    /// An error with its hint.
    pub fn error(&self, error: &CliError) {
        let mark = self.painted("1;31", &format!("error[{}]", error.code));
        self.say(Level::Quiet, &format!("{mark}: {}", printable(&error.message)));
        if let Some(hint) = &error.hint {
            let mark = self.painted("36", "hint");
            self.say(Level::Quiet, &format!("{mark}: {}", printable(hint)));
        }
    }

    fn painted(&self, paint: &str, text: &str) -> String {
        if self.style.color { format!("\u{1b}[{paint}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn say(&self, level: Level, text: &str) {
        if self.style.level >= level {
            self.bars.suspend(|| {
                let mut err = lock(&self.err);
                let _ = writeln!(err, "{text}");
            });
        }
    }
}

fn lock(sink: &Sink) -> MutexGuard<'_, Box<dyn Write + Send>> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::super::exit::ExitStatus;
    use super::*;

    /// A stream that can be read back.
    #[derive(Clone, Default)]
    pub(crate) struct Tape(Arc<Mutex<Vec<u8>>>);

    impl Tape {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Tape {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    pub(crate) fn taped(style: Style) -> (Printer, Tape, Tape) {
        let (out, err) = (Tape::default(), Tape::default());
        (Printer::to(style, Box::new(out.clone()), Box::new(err.clone())), out, err)
    }

    #[test]
    fn data_goes_to_stdout_and_all_else_to_stderr() {
        let (printer, out, err) = taped(Style::default());
        printer.text("a");
        printer.table("表", &{
            let mut table = Table::new(["x"]);
            table.push(["1"]);
            table
        });
        printer.note("loading");
        printer.detail("page 7");
        printer.warn("odd");
        printer.error(&CliError {
            code: "E-SRC-003".into(),
            message: "page 7 of 214 missing".into(),
            hint: Some("run again".into()),
            exit: ExitStatus::Unavailable,
        });
        assert_eq!(out.text(), "a\n表\nx\n1\n");
        assert_eq!(err.text(), "loading\nwarning: odd\nerror[E-SRC-003]: page 7 of 214 missing\nhint: run again\n");
    }

    #[test]
    fn quiet_says_errors_only_and_colour_only_marks() {
        let (printer, _, err) = taped(Style { level: Level::Quiet, color: true, ..Style::default() });
        printer.note("loading");
        printer.error(&CliError { code: "E-X".into(), message: "m".into(), hint: None, exit: ExitStatus::Negative });
        assert_eq!(err.text(), "\u{1b}[1;31merror[E-X]\u{1b}[0m: m\n");
    }

    #[test]
    fn a_document_names_its_version_and_command_first() {
        let (printer, out, _) = taped(Style { json: true, ..Style::default() });
        printer.json("plan", &serde_json::json!({"schema_version": 9, "silver": ["shp"], "run_id": null})).unwrap();
        assert_eq!(
            out.text(),
            "{\n  \"schema_version\": 1,\n  \"command\": \"plan\",\n  \"silver\": [\n    \"shp\"\n  ],\n  \"run_id\": null\n}\n"
        );
    }
}
