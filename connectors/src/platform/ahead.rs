//! Reads ahead: a few windows at a time, handed on in their order.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::{Stream, StreamExt, stream};
use tokio::task::JoinHandle;
use yaojia_models::contract::Dataset;

use super::{PlatformSource, Window, WindowRead};
use crate::error::SourceError;

/// See [`PlatformSource::read_windows`].
pub(crate) fn read(
    source: &PlatformSource,
    dataset: Arc<Dataset>,
    windows: Vec<Window>,
    parallel: usize,
) -> impl Stream<Item = Result<WindowRead, SourceError>> + use<> {
    let source = source.clone();
    // A task of its own each: a call goes on while the caller is busy with the window before, and does not run into its time-out.
    let start = move |window| {
        let (source, dataset) = (source.clone(), Arc::clone(&dataset));
        Reading(tokio::spawn(async move { source.read_window(&dataset, window).await }))
    };
    stream::iter(windows).map(start).buffered(parallel.max(1))
}

/// A window on its way; dropped, it is given up.
struct Reading(JoinHandle<Result<WindowRead, SourceError>>);

impl Future for Reading {
    type Output = Result<WindowRead, SourceError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = ready!(Pin::new(&mut self.0).poll(context));
        Poll::Ready(ended.unwrap_or_else(|error| Err(SourceError::BrokenOff { what: error.to_string() })))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}
