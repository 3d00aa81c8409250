//! The manual as a server shows it.

use reqwest::{Method, StatusCode};

use crate::support::engine::Engine;
use crate::support::server::TestServer;

async fn page(server: &TestServer, path: &str) -> (StatusCode, String) {
    let response = server.request(Method::GET, path).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8", "{path}");
    let policy = response.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn the_manual_is_read_searched_and_printed_without_a_key() {
    let server = TestServer::start(Engine::Sqlite).await;
    let (status, contents) = page(&server, "/manual").await;
    assert_eq!(status, StatusCode::OK);
    let chapters: Vec<_> = std::fs::read_dir("../../docs/manual")
        .unwrap()
        .map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let (_, print) = page(&server, "/manual/print").await;
    for chapter in &chapters {
        assert!(
            contents.contains(&format!("href=\"/manual/{chapter}\"")),
            "{chapter} is not in the contents"
        );
        let (status, shown) = page(&server, &format!("/manual/{chapter}")).await;
        let heading = shown.split("<h1").nth(1).unwrap().split("</h1>").next().unwrap();
        assert!(status.is_success() && print.contains(heading), "{chapter}: {heading}");
        assert!(shown.contains(&format!("href=\"/manual/{chapter}\" aria-current=\"page\"")), "{chapter}");
    }
    let (_, found) = page(&server, "/manual?term=replay+held").await;
    assert!(found.contains("<mark>"), "{found}");
    let (_, nothing) = page(&server, "/manual?term=%3Cscript%3Ezzzz").await;
    assert!(nothing.contains("Nothing found for") && !nothing.contains("<script"), "{nothing}");
    assert_eq!(page(&server, "/manual/shoes").await.0, StatusCode::NOT_FOUND);
}
