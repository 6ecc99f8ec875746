//! SIGINT and SIGTERM: a run stops between two commits; a second signal, or too long a wait, ends it where it stands.

use std::time::Duration;

use super::App;

/// How long a run may take to reach its next commit after it was asked to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until the command is to end at once; gives the signal's name.
pub async fn ended(app: &App) -> &'static str {
    let first = signal().await;
    app.stop.ask();
    app.printer.note(&format!("{first}: stopping, a run after its current commit; once more to stop at once"));
    tokio::select! {
        second = signal() => second,
        () = tokio::time::sleep(PATIENCE) => first,
    }
}

#[cfg(unix)]
async fn signal() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await; // signals cannot be heard: the system's own handling stays
    };
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}

#[cfg(not(unix))]
async fn signal() -> &'static str {
    match tokio::signal::ctrl_c().await {
        Ok(()) => "Ctrl-C",
        Err(_) => std::future::pending().await,
    }
}
