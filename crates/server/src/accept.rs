//! Takes connections, with an end to the patience for each of them: a caller that says nothing, or says it letter by letter, keeps no place.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{BoxError, extract::ConnectInfo, serve::Listener};
use http::{Request, Response};
use hyper::{
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tower::{Service, ServiceExt as _};

/// How long a caller may take from its connection, or from its last answer, to the end of the next request's head.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What answers requests; each request has its own clone. Errors are answers, too.
pub trait Serves<B>:
    Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<B, S> Serves<B> for S where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

/// The body of an answer.
pub trait AnswerBody: Body<Data: Send, Error: Into<BoxError>> + Send + 'static {}

impl<B> AnswerBody for B where B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static {}

/// Serves until it is told to stop; then requests that have begun are brought to their end.
pub async fn serve<B: AnswerBody>(
    mut listener: TcpListener,
    service: impl Serves<B>,
    mut stopped: watch::Receiver<bool>,
    patience: Duration,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = tokio::select! {
            // What fails while a connection is taken is passed over, after a pause where the machine has no more to give.
            taken = Listener::accept(&mut listener) => taken,
            Some(_) = connections.join_next() => continue,
            // An error means that the sender is gone, which is an end as well.
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        let service = service.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
            service.clone().oneshot(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            // Callers hang up, and some are sent away: nobody waits for their reasons.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
    };

    use super::*;

    async fn start(patience: Duration) -> (SocketAddr, watch::Sender<bool>, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let router = Router::new().route(
            "/",
            axum::routing::get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }),
        );
        (address, stop, tokio::spawn(serve(listener, router, stopped, patience)))
    }

    #[tokio::test]
    async fn a_caller_that_does_not_end_its_head_is_sent_away() {
        let (address, _stop, _serving) = start(Duration::from_millis(50)).await;
        let mut caller = TcpStream::connect(address).await.unwrap();
        caller
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
            .await
            .unwrap();
        let mut told = Vec::new();
        // The end of the connection, which would not come without the patience having one.
        let _ = caller.read_to_end(&mut told).await;
        assert!(!told.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&told));
    }

    #[tokio::test]
    async fn a_request_is_answered_with_its_sender_known_and_a_stop_ends_the_serving() {
        let (address, stop, serving) = start(PATIENCE).await;
        let mut caller = TcpStream::connect(address).await.unwrap();
        caller.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut told = vec![0; 4_096];
        let length = caller.read(&mut told).await.unwrap();
        let told = String::from_utf8_lossy(&told[..length]).into_owned();
        assert!(
            told.starts_with("HTTP/1.1 200") && told.ends_with("127.0.0.1"),
            "{told}"
        );
        stop.send_replace(true);
        serving.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
