//! Errors as `application/problem+json` (RFC 9457) with a stable code.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use net::LinkError;
use serde::Serialize;

use crate::error::{Error, Exit};

/// The body of an answer that is an error.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: String,
}

impl Problem {
    pub(super) fn not_found(detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail.to_owned())
    }

    pub(super) fn bad_request(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail.to_owned())
    }

    pub(super) fn starting() -> Self {
        let detail = "the node is starting or stopping; ask again".to_owned();
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "node.not_running", detail)
    }

    pub(super) fn busy() -> Self {
        let detail = "the driver has too many questions waiting; ask again".to_owned();
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "node.busy", detail)
    }

    fn new(status: StatusCode, code: &'static str, detail: String) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("error"),
            status: status.as_u16(),
            code,
            detail,
        }
    }
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        let (status, code) = match error {
            LinkError::Off => (StatusCode::FORBIDDEN, "links.off"),
            LinkError::NoPeer => (StatusCode::NOT_FOUND, "not_found"),
            LinkError::OutOfBounds { .. } => (StatusCode::BAD_REQUEST, "bad_request"),
        };
        Self::new(status, code, error.to_string())
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = if error.exit() == Exit::No {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // A struct of text and a number always encodes.
        let text = serde_json::to_string(&self).unwrap_or_default();
        let status = StatusCode::from_u16(self.status);
        let kind = HeaderValue::from_static("application/problem+json");
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [(CONTENT_TYPE, kind)], text).into_response()
    }
}
