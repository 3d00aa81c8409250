//! The manual as pages, without scripts, that ask no other host for anything: contents and search at `/manual`, a
//! chapter at `/manual/{slug}`, its pictures beside it, all of it for a printer at `/manual/print`.

pub mod chapters;
mod pictures;
mod render;
mod search;

use askama::Template;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::auth::Anybody;
use super::compressed::Compressed;
use super::elsewhere::elsewhere_for_anybody;
use super::error::ApiError;
use super::params::Params;
use crate::store::StoreError;
use chapters::Chapter;
use pictures::Picture;
use render::Page;
use search::Found;

/// Nothing may be run, and of this server pictures alone be loaded; only the page's own style applies, and the search
/// leads back here.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// As for the search of the API.
const TERM_MAX_CHARS: usize = 200;

struct Manual {
    /// Those that are listed, searched and printed.
    pages: Vec<Page>,
    /// Each page as it is sent, by its slug, those that are only linked to as well.
    sent: Vec<(String, Compressed)>,
    contents: Compressed,
    print: Compressed,
    not_found: Compressed,
}

static MANUAL: OnceCell<Manual> = OnceCell::const_new();

/// A page of the manual in its frame.
#[derive(Template)]
#[template(path = "manual.html")]
struct Frame<'a> {
    title: &'a str,
    chapters: &'a [Page],
    /// The chapter that is shown, if one is.
    slug: &'a str,
    term: &'a str,
    content: Content<'a>,
}

enum Content<'a> {
    Chapter(&'a str),
    Contents,
    Found(Vec<Found<'a>>),
    /// All chapters.
    Print,
    NotFound,
}

impl Frame<'_> {
    fn bytes(&self) -> Result<Vec<u8>, ApiError> {
        let html = self.render().map_err(|error| StoreError::Broken(error.to_string()))?;
        Ok(html.into_bytes())
    }
}

async fn manual() -> Result<&'static Manual, ApiError> {
    let make = || -> Result<Manual, ApiError> {
        let pages: Vec<_> = Chapter::pages().map(Page::read).collect();
        let frame = |title, slug, content| Frame { title, chapters: &pages, slug, term: "", content };
        let asides: Vec<_> = Chapter::asides().map(Page::read).collect();
        let sent = pages
            .iter()
            .chain(&asides)
            .map(|page| {
                let frame = frame(page.chapter.title(), &page.slug, Content::Chapter(&page.html));
                Ok((page.slug.clone(), Compressed::of(frame.bytes()?)))
            })
            .collect::<Result<_, ApiError>>()?;
        let contents = Compressed::of(frame("The manual", "", Content::Contents).bytes()?);
        let print = Compressed::of(frame("The manual", "print", Content::Print).bytes()?);
        let not_found = Compressed::of(frame("Not found", "", Content::NotFound).bytes()?);
        Ok(Manual { pages, sent, contents, print, not_found })
    };
    let made = MANUAL.get_or_try_init(|| async {
        let made = tokio::task::spawn_blocking(make).await;
        made.map_err(|error| ApiError::from(StoreError::Broken(error.to_string())))?
    });
    made.await
}

/// What is looked for.
#[derive(Deserialize)]
pub struct Search {
    #[serde(default)]
    term: String,
}

/// The contents, or what was found.
pub async fn contents(
    _: Anybody,
    Params(Search { term }): Params<Search>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let manual = manual().await?;
    let term: String = term.trim().chars().take(TERM_MAX_CHARS).collect();
    if term.is_empty() {
        return Ok((HEADERS, manual.contents.answer(&headers)).into_response());
    }
    let find = move || {
        let content = Content::Found(search::search(&manual.pages, &term));
        Frame { title: "The manual", chapters: &manual.pages, slug: "", term: &term, content }.bytes()
    };
    Ok((HEADERS, elsewhere_for_anybody(find).await??).into_response())
}

/// A chapter, or all of them at `print`; or a picture.
pub async fn chapter(_: Anybody, Path(slug): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    if let Some(picture) = Picture::named(&slug) {
        return Ok(picture.answer());
    }
    let manual = manual().await?;
    if slug == "print" {
        return Ok((HEADERS, manual.print.answer(&headers)).into_response());
    }
    if let Some((_, sent)) = manual.sent.iter().find(|(known, _)| *known == slug) {
        return Ok((HEADERS, sent.answer(&headers)).into_response());
    }
    Ok((StatusCode::NOT_FOUND, HEADERS, manual.not_found.answer(&headers)).into_response())
}

const HEADERS: [(header::HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
