//! Messages that are none, and what the library answers by itself: as errors of JSON-RPC, with a sentence each.

use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use rmcp::model::{ClientJsonRpcMessage, ErrorCode};
use serde_json::error::Category;
use serde_json::{Value, json};

/// An error of the library fits in many times.
const ERROR_MAX_BYTES: u64 = 4_096;

/// The method that a message asks for; nothing where it asks for none.
///
/// # Errors
/// The answer to what is no message.
pub fn method(body: &[u8]) -> Result<Option<String>, Box<Response>> {
    match serde_json::from_slice(body) {
        Ok(ClientJsonRpcMessage::Request(asked)) => Ok(Some(asked.request.method().to_owned())),
        Ok(_) => Ok(None),
        Err(error) if error.classify() == Category::Data => {
            let value: Value = serde_json::from_slice(body).unwrap_or_default();
            let id = value.get("id").filter(|id| id.is_string() || id.is_number());
            let message = "The body is no message of JSON-RPC 2.0.";
            Err(Box::new(refusal(ErrorCode::INVALID_REQUEST, id.cloned().unwrap_or_default(), message)))
        }
        Err(error) => {
            let message = format!("The body is not JSON: {error}.");
            Err(Box::new(refusal(ErrorCode::PARSE_ERROR, Value::Null, &message)))
        }
    }
}

fn refusal(code: ErrorCode, id: Value, message: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    with_error(response, &json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}))
}

fn with_error(mut response: Response, error: &Value) -> Response {
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *response.body_mut() = Body::from(error.to_string());
    response
}

/// The answer of the library: a method that there is not is named in a sentence, and a refusal in bare text is an error
/// as any other.
pub async fn worded(response: Response, method: Option<&str>) -> Response {
    if response.body().size_hint().upper().is_none_or(|bytes| bytes > ERROR_MAX_BYTES) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let whole = |bytes| Response::from_parts(parts.clone(), Body::from(bytes));
    match serde_json::from_slice::<Value>(&bytes) {
        Ok(mut answer) if answer["error"]["code"] == json!(ErrorCode::METHOD_NOT_FOUND) => {
            answer["error"]["message"] =
                format!("There is no method \"{}\".", method.unwrap_or_default()).into();
            with_error(whole(bytes), &answer)
        }
        Err(_) if parts.status.is_client_error() => {
            let (code, text) = (ErrorCode::INVALID_REQUEST, String::from_utf8_lossy(&bytes));
            let error = json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": text}});
            with_error(whole(bytes.clone()), &error)
        }
        _ => whole(bytes),
    }
}
