//! What all sources have in common, for tools that do not care which one they hold.

use arrow::array::RecordBatch;
use async_trait::async_trait;
use chrono::NaiveDateTime;
use yaojia_models::contract::Dataset;

use crate::error::SourceError;
use crate::export::{Delivery, ExportSource, FileReport, LandingFile, ReadError, SinkError};
use crate::kit::artifact::Artifact;
use crate::platform::{PlatformSource, Window};

/// A span of time to ask for; a landing folder is asked for all it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// First second.
    pub from: NaiveDateTime,
    /// Last second.
    pub to: NaiveDateTime,
}

/// What is fetched and committed as one: a window, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A window of a platform.
    Window(Window),
    /// A file of a landing folder.
    File(LandingFile),
}

/// One artifact of a part, with what is needed to parse it.
#[derive(Debug, Clone)]
pub enum Piece {
    /// A page of a message.
    Page {
        /// Message number.
        infno: String,
        /// Its bytes.
        artifact: Artifact,
    },
    /// A file and its control file.
    File(Box<Delivery>),
}

/// Where rows come from. Implementations move bytes; they never judge them.
#[async_trait]
pub trait Source: Send + Sync {
    /// Name in messages and provenance.
    fn name(&self) -> &str;

    /// What there is for a dataset, without fetching it.
    async fn list(&self, dataset: &Dataset, ask: Ask) -> Result<Vec<Part>, SourceError>;

    /// The bytes of a part, stored before anyone parses them; all of them or an error.
    async fn fetch(&self, dataset: &Dataset, part: &Part) -> Result<Vec<Piece>, SourceError>;

    /// The rows of a piece. Pure: no clock, no network.
    fn parse(
        &self,
        dataset: &Dataset,
        piece: &Piece,
        sink: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
    ) -> Result<FileReport, ReadError>;
}

fn foreign(name: &str) -> SourceError {
    SourceError::config(name, "it is asked for a part of another source")
}

#[async_trait]
impl Source for PlatformSource {
    fn name(&self) -> &str {
        &self.config().name
    }

    async fn list(&self, dataset: &Dataset, ask: Ask) -> Result<Vec<Part>, SourceError> {
        self.messages_of(&dataset.name)?;
        Ok(self.windows(ask.from, ask.to).into_iter().map(Part::Window).collect())
    }

    async fn fetch(&self, dataset: &Dataset, part: &Part) -> Result<Vec<Piece>, SourceError> {
        let Part::Window(window) = part else {
            return Err(foreign(self.name()));
        };
        let mut pieces = Vec::new();
        for read in self.read_window(dataset, *window).await?.messages {
            pieces.extend(read.pages.into_iter().map(|artifact| Piece::Page { infno: read.infno.clone(), artifact }));
        }
        Ok(pieces)
    }

    fn parse(
        &self,
        dataset: &Dataset,
        piece: &Piece,
        sink: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
    ) -> Result<FileReport, ReadError> {
        let Piece::Page { infno, artifact: page } = piece else {
            return Err(foreign(self.name()).into());
        };
        let parsed = self.parse_page(dataset, infno, page)?;
        let rows = parsed.batch.num_rows() as u64;
        sink(parsed.batch).map_err(|source| SourceError::Sink { artifact: page.name.clone(), source })?;
        Ok(FileReport {
            rows,
            bad_rows: 0,
            unknown: parsed.unknown,
            dropped: parsed.dropped,
            personal: page.personal,
            filtered: 0,
            sheets: Vec::new(),
        })
    }
}

#[async_trait]
impl Source for ExportSource {
    fn name(&self) -> &str {
        &self.config().name
    }

    async fn list(&self, dataset: &Dataset, _: Ask) -> Result<Vec<Part>, SourceError> {
        let files = ExportSource::list(self).await?;
        Ok(files.into_iter().filter(|file| file.dataset == dataset.name).map(Part::File).collect())
    }

    async fn fetch(&self, dataset: &Dataset, part: &Part) -> Result<Vec<Piece>, SourceError> {
        let Part::File(file) = part else {
            return Err(foreign(self.name()));
        };
        Ok(vec![Piece::File(Box::new(ExportSource::fetch(self, dataset, file).await?))])
    }

    fn parse(
        &self,
        dataset: &Dataset,
        piece: &Piece,
        sink: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
    ) -> Result<FileReport, ReadError> {
        let Piece::File(delivery) = piece else {
            return Err(foreign(self.name()).into());
        };
        self.read(dataset, delivery, sink)
    }
}
