//! The OpenAPI document: what the handlers say of themselves, and what holds for all of them.

use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr};

use super::error::ErrorBody;

/// The name of the one security scheme.
const BEARER: &str = "bearer";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "dregs",
        description = "Scores the users of an application for fraud and abuse, and tells it by signed webhooks.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ErrorBody))
)]
struct Document;

/// The document as far as it does not depend on the routes.
pub fn base() -> OpenApi {
    let mut document = Document::openapi();
    document.info.version = env!("CARGO_PKG_VERSION").into();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
        "The secret key of a credential (`sk_…`) or the token of a session, from `POST /api/auth/login`. \
         A public key (`pk_…`) may send events, from the origins its credential allows.",
    ));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer.build()));
    document.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, [])]);
    document
}

/// Adds to every operation the answers that do not depend on what it does.
pub fn complete(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            for (status, description) in common_errors(path, operation) {
                let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
                let answer =
                    ResponseBuilder::new().description(description).content("application/json", body).build();
                let responses = &mut operation.responses.responses;
                responses.entry(status.to_owned()).or_insert(RefOr::T(answer));
            }
            for answer in operation.responses.responses.values_mut() {
                if let RefOr::T(answer) = answer
                    && answer.description.is_empty()
                {
                    "Done.".clone_into(&mut answer.description);
                }
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// Status and description.
fn common_errors(path: &str, operation: &Operation) -> Vec<(&'static str, &'static str)> {
    let mut errors = Vec::new();
    let has_body = operation.request_body.is_some();
    if has_body || operation.parameters.is_some() {
        errors.push(("400", "Something in the request is wrong; `details` says which field, and why."));
    }
    if operation.security.is_none() {
        errors.push(("401", "The key or session is missing, unknown, ended or revoked."));
        errors.push(("403", "This caller may not do this."));
    }
    if path.contains('{') {
        errors.push(("404", "The team has nothing with this id."));
    }
    if has_body {
        errors.push(("413", "The body is larger than 256 KiB."));
    }
    errors.push(("500", "The server failed; its log has the reason, under the request id."));
    errors.push(("503", "The server cannot do this right now; `Retry-After` says when to try again."));
    errors
}
