use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket},
};

use super::*;

const LIMIT: Duration = Duration::from_secs(20);

fn get(url: String) -> HttpRequest {
    HttpRequest::new(Method::GET, url, HeaderMap::new(), Bytes::new(), Vec::new())
}

/// A server that reads one request, answers with these bytes, and closes the connection.
async fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(bytes).await;
        }
    });
    format!("http://{address}/x")
}

#[tokio::test]
async fn an_answer_is_read_whole() {
    let url = answering(b"HTTP/1.1 201 Created\r\ncontent-length: 11\r\nx-a: b\r\n\r\n{\"id\":\"7\"}\n").await;
    let answer = Client::new(AddressPolicy::Any, LIMIT)
        .unwrap()
        .send(&get(url))
        .await
        .unwrap();
    assert_eq!((answer.status, answer.header("x-a")), (201, Some("b")));
    assert_eq!(answer.json().unwrap()["id"], "7");
}

#[tokio::test]
async fn a_connection_that_nobody_used_for_a_while_is_not_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let (made, mut connections) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            made.send(()).unwrap();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
                }
            });
        }
    });
    let client = Client::new(AddressPolicy::Any, LIMIT).unwrap();
    let request = get(url);
    let mut so_far = 0;
    for (pause, expected) in [(Duration::ZERO, 1), (IDLE / 4, 1), (IDLE * 2, 2)] {
        tokio::time::pause();
        tokio::time::advance(pause).await;
        tokio::time::resume();
        client.send(&request).await.unwrap();
        while connections.try_recv().is_ok() {
            so_far += 1;
        }
        assert_eq!(so_far, expected, "after {pause:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_cut_after_the_request_is_no_answer() {
    let url = answering(b"").await;
    let error = Client::new(AddressPolicy::Any, LIMIT)
        .unwrap()
        .send(&get(url))
        .await
        .unwrap_err();
    assert!(matches!(error, SendError::NoAnswer(_)), "{error:?}");
}

#[tokio::test]
async fn half_an_answer_is_no_answer() {
    let url = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\"").await;
    let error = Client::new(AddressPolicy::Any, LIMIT)
        .unwrap()
        .send(&get(url))
        .await
        .unwrap_err();
    assert!(matches!(error, SendError::NoAnswer(_)), "{error:?}");
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    // A port that is held, and on which nobody listens.
    let held = TcpSocket::new_v4().unwrap();
    held.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = held.local_addr().unwrap();
    let error = Client::new(AddressPolicy::Any, LIMIT)
        .unwrap()
        .send(&get(format!("http://{address}/")))
        .await
        .unwrap_err();
    assert!(matches!(error, SendError::NotSent(_)), "{error:?}");
}

#[tokio::test]
async fn private_addresses_are_refused_as_number_and_as_name() {
    let client = Client::new(AddressPolicy::PublicOnly, LIMIT).unwrap();
    for url in [
        "http://127.0.0.1:1/",
        "http://[::1]:1/",
        "http://localhost:1/",
        "http://169.254.169.254/latest",
        "http://0x7f.1/",
    ] {
        let error = client.send(&get(url.into())).await.unwrap_err();
        assert!(matches!(error, SendError::Refused(_)), "{url}: {error:?}");
    }
    for url in ["ftp://example.org/", "file:///etc/passwd", "no address"] {
        assert!(
            matches!(client.send(&get(url.into())).await.unwrap_err(), SendError::Refused(_)),
            "{url}"
        );
    }
}
