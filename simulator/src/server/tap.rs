//! A tap on each connection: how many more bytes may leave before it breaks. Cutting the
//! connection below HTTP is the only way to show a client what a broken one looks like.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// The handle a request has on its own connection.
#[derive(Debug, Clone)]
pub(crate) struct Tap(Arc<AtomicI64>);

impl Tap {
    /// Breaks the connection after so many more bytes.
    pub(crate) fn close_after(&self, bytes: usize) {
        self.0.store(i64::try_from(bytes).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

/// A listener whose connections can be broken.
#[derive(Debug)]
pub(crate) struct Taps(pub(crate) TcpListener);

/// A connection that breaks when its tap is used up.
#[derive(Debug)]
pub(crate) struct Tapped {
    inner: TcpStream,
    tap: Tap,
}

impl Listener for Taps {
    type Io = Tapped;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (inner, addr) = Listener::accept(&mut self.0).await;
        // Without it a page would wait for the acknowledgement of its own headers.
        let _ = inner.set_nodelay(true);
        (Tapped { inner, tap: Tap(Arc::new(AtomicI64::new(i64::MAX))) }, addr)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Taps>> for Tap {
    fn connect_info(stream: IncomingStream<'_, Taps>) -> Self {
        stream.io().tap.clone()
    }
}

impl AsyncRead for Tapped {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.tap.0.load(Ordering::SeqCst);
        if left <= 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let done = Pin::new(&mut self.inner).poll_write(cx, buf.get(..most).unwrap_or(buf));
        if let (Poll::Ready(Ok(n)), true) = (&done, left != i64::MAX) {
            self.tap.0.fetch_sub(i64::try_from(*n).unwrap_or(0), Ordering::SeqCst);
        }
        done
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
