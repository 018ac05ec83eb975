//! The console answers with its policy, in two languages, to names of this machine only.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::world::{World, header, records};

/// One request by hand, so that nothing comes between: head and body of the answer.
fn get(address: SocketAddr, path: &str, host: &str, headers: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).expect("connected");
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    (head.to_owned(), body.to_owned())
}

async fn ask(world: &World, path: &str, host: &str, headers: &str) -> (String, String) {
    let address = world.ready.console_addr;
    let (path, host, headers) = (path.to_owned(), host.to_owned(), headers.to_owned());
    let asked = tokio::task::spawn_blocking(move || get(address, &path, &host, &headers));
    asked.await.expect("no panic")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_with_a_policy_that_allows_no_script() {
    let world = World::start().await;
    let (head, body) = ask(&world, "/", "localhost", "Accept-Language: ja,en;q=0.5\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let head = head.to_lowercase();
    assert!(head.contains("content-security-policy: default-src 'none'; style-src 'self'"));
    assert!(head.contains("content-language: ja") && head.contains("cache-control: no-store"));
    assert!(body.contains("まだ連結が行われていません"));
    assert!(!body.contains("<script"));
    let (_, english) = ask(&world, "/?lang=en", "localhost", "Accept-Language: ja\r\n").await;
    assert!(english.contains("Nothing has been linked yet"));
    let (head, style) = ask(&world, "/style.css", "localhost", "").await;
    assert!(head.to_lowercase().contains("content-type: text/css") && style.contains("body"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_names_and_other_pages_are_refused() {
    let world = World::start().await;
    let (head, body) = ask(&world, "/", "evil.test", "").await;
    assert!(head.starts_with("HTTP/1.1 421") && body.is_empty());
    let (head, _) = ask(&world, "/other", "localhost", "").await;
    assert!(head.starts_with("HTTP/1.1 404"));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_run_the_page_shows_the_people_found() {
    let world = World::start().await;
    let sent = records("a", 123);
    world
        .submit("source-hosp_a", &header("hosp_a", 1), sent)
        .await
        .expect("taken in");
    let sent = records("b", 45);
    world
        .submit("source-hosp_b", &header("hosp_b", 1), sent)
        .await
        .expect("taken in");
    let mut client = world.operator().await;
    let started = client.start_run(None).await.expect("started");
    client
        .watch_run(started.id, &mut |_| {})
        .await
        .expect("watched");
    let (_, body) = ask(&world, "/?lang=en", "127.0.0.1", "").await;
    assert!(body.contains("<strong>123</strong>") && body.contains("168"));
    assert!(body.contains("hosp_a") && body.contains("Upper threshold"));
}
