//! The console: one page that shows what the last run did. It shows counts and distributions
//! only, needs no script, and loads nothing from elsewhere.
//!
//! It asks nobody who they are, so it listens on loopback only, and it answers only to names of
//! this machine: a page from elsewhere cannot read it by pointing its own name here.

mod format;
mod histogram;
mod page;
mod page_model;
mod text;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use super::grpc::Rooms;
use crate::terms::run::RunState;
use page::Overview;
use text::Language;

const STYLE: &str = include_str!("style.css");

/// Everything is refused but the page's own style sheet.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The console's pages.
pub(super) fn router(rooms: Rooms) -> Router {
    Router::new()
        .route("/", get(front_page))
        .route("/style.css", get(style))
        .fallback(nothing_here)
        .layer(middleware::from_fn(protect))
        .with_state(rooms)
}

async fn front_page(State(rooms): State<Rooms>, uri: Uri, headers: HeaderMap) -> Response {
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let language = Language::choose(uri.query(), accepted);
    let rendered = tokio::task::spawn_blocking(move || page::render(&look(&rooms), language)).await;
    match rendered {
        Ok(Ok(html)) => {
            let tag = HeaderValue::from_static(language.tag());
            ([(header::CONTENT_LANGUAGE, tag)], Html(html)).into_response()
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "the console page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// How things stand.
fn look(rooms: &Rooms) -> Overview {
    let runs = rooms.jobs.runs();
    let under_way = |state: RunState| matches!(state, RunState::Queued | RunState::Running);
    Overview {
        profile: rooms.store.profile(),
        sources: rooms
            .store
            .sources()
            .into_iter()
            .map(|source| (source.source, source.records, source.submissions))
            .collect(),
        active: runs.iter().find(|run| under_way(run.state)).cloned(),
        failed: runs
            .first()
            .filter(|run| run.state == RunState::Failed)
            .cloned(),
        finished: runs
            .into_iter()
            .find(|run| run.state == RunState::Succeeded && run.report.is_some()),
    }
}

async fn style() -> Response {
    let kind = HeaderValue::from_static("text/css; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], STYLE).into_response()
}

async fn nothing_here() -> Response {
    (
        StatusCode::NOT_FOUND,
        "There is nothing here. The console is at /\n",
    )
        .into_response()
}

/// Answers only to this machine's names, and sets the headers that every answer carries.
async fn protect(request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|value| value.to_str().ok());
    let mut response = if host.is_some_and(is_this_machine) {
        next.run(request).await
    } else {
        StatusCode::MISDIRECTED_REQUEST.into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for good in [
            "localhost",
            "localhost:7480",
            "127.0.0.1:7480",
            "[::1]:7480",
            "[::1]",
        ] {
            assert!(is_this_machine(good), "{good}");
        }
        for bad in [
            "evil.test",
            "evil.test:7480",
            "127.0.0.1.evil.test",
            "localhost:7480.evil",
            "",
        ] {
            assert!(!is_this_machine(bad), "{bad}");
        }
    }

    #[test]
    fn the_policy_allows_no_script() {
        assert!(CONTENT_POLICY.starts_with("default-src 'none'"));
        assert!(!CONTENT_POLICY.contains("script") && !CONTENT_POLICY.contains("unsafe"));
    }
}
