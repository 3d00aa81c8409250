//! The OpenAPI document: what the handlers say of themselves, and what holds for all of them.

use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{Components, Schema};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ServerBuilder};

use super::cookie;
use super::error::ErrorBody;

/// The names of the security schemes.
const BEARER: &str = "bearer";
const COOKIE: &str = "cookie";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "dregs",
        description = "Scores the users of an application for fraud and abuse, and notifies it by signed webhooks.",
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
    let cookie = ApiKeyValue::with_description(
        cookie::NAME,
        "The session of a browser, from `POST /api/auth/login`. Whatever changes something must come from a page \
         of this server.",
    );
    components.add_security_scheme(COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let either = [BEARER, COOKIE].map(|name| SecurityRequirement::new::<_, [&str; 0], &str>(name, []));
    document.security = Some(either.into());
    // Wherever the document comes from.
    document.servers = Some(vec![ServerBuilder::new().url("/").description(Some("This server.")).build()]);
    document
}

/// Adds to every operation the answers that do not depend on what it does, and says what the elements
/// of a page are by name.
pub fn complete(document: &mut OpenApi) {
    name_elements(document.components.get_or_insert_default());
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            if let Some(RefOr::T(body)) = &mut operation.request_body {
                name_optional(body);
            }
            let common: Vec<_> = common_errors(path, operation).collect();
            let responses = &mut operation.responses.responses;
            for CommonError { status, name, .. } in common {
                let answer = RefOr::Ref(Ref::from_response_name(*name));
                responses.entry((*status).to_owned()).or_insert(answer);
            }
            for answer in responses.values_mut() {
                if let RefOr::T(answer) = answer
                    && answer.description.is_empty()
                {
                    "Done.".clone_into(&mut answer.description);
                }
            }
        }
    }
    let responses = &mut document.components.get_or_insert_default().responses;
    for CommonError { name, description, .. } in COMMON_ERRORS {
        let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
        let answer = ResponseBuilder::new().description(*description).content("application/json", body);
        responses.insert((*name).to_owned(), RefOr::T(answer.build()));
    }
}

/// A body that may be left out is not required, and says no more than that: generated clients that may also send
/// null send neither null nor nothing.
fn name_optional(body: &mut RequestBody) {
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let Some(RefOr::T(Schema::OneOf(either))) = &content.schema else { continue };
        if let [named @ RefOr::Ref(_), _] | [_, named @ RefOr::Ref(_)] = &either.items[..] {
            content.schema = Some(named.clone());
        }
    }
}

/// The generator repeats in `Page_ChannelBody` what `ChannelBody` says: let it refer to that.
fn name_elements(components: &mut Components) {
    for (name, page) in &mut components.schemas {
        let (Some(element), RefOr::T(Schema::Object(page))) = (name.strip_prefix("Page_"), page) else {
            continue;
        };
        if let Some(RefOr::T(Schema::Array(content))) = page.properties.get_mut("content") {
            content.items = RefOr::Ref(Ref::from_schema_name(element)).into();
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// An answer that many operations may give.
struct CommonError {
    status: &'static str,
    name: &'static str,
    description: &'static str,
    /// Whether the operation at this path may give it.
    applies: fn(&str, &Operation) -> bool,
}

const COMMON_ERRORS: &[CommonError] = &[
    CommonError {
        status: "400",
        name: "BadRequest",
        description: "Something in the request is wrong; `details` says which field, and why.",
        applies: |_, operation| operation.request_body.is_some() || operation.parameters.is_some(),
    },
    CommonError {
        status: "401",
        name: "Unauthenticated",
        description: "The key or session is missing, unknown, ended or revoked.",
        applies: |_, operation| operation.security.is_none(),
    },
    CommonError {
        status: "403",
        name: "Forbidden",
        description: "This caller may not do this.",
        applies: |_, operation| operation.security.is_none() || operation.request_body.is_some(),
    },
    CommonError {
        status: "404",
        name: "NotFound",
        description: "The team has nothing with this id.",
        applies: |path, _| path.contains('{'),
    },
    CommonError {
        status: "408",
        name: "RequestTimeout",
        description: "The body came too slowly.",
        applies: |_, operation| operation.request_body.is_some(),
    },
    CommonError {
        status: "413",
        name: "BodyTooLarge",
        description: "The body is larger than the server is configured to take.",
        applies: |_, operation| operation.request_body.is_some(),
    },
    CommonError {
        status: "415",
        name: "UnsupportedMediaType",
        description: "The body is no JSON by its `Content-Type`, or its `Content-Encoding` is none of gzip, deflate and zstd.",
        applies: |_, operation| operation.request_body.is_some(),
    },
    CommonError {
        status: "429",
        name: "RateLimited",
        description: "Too many requests; `Retry-After` says in how many seconds to try again.",
        applies: |_, _| true,
    },
    CommonError {
        status: "500",
        name: "Internal",
        description: "The server failed; its log has the reason, under the request id.",
        applies: |_, _| true,
    },
    CommonError {
        status: "503",
        name: "Unavailable",
        description: "The server cannot do this right now; `Retry-After` says when to try again.",
        applies: |_, _| true,
    },
];

fn common_errors(path: &str, operation: &Operation) -> impl Iterator<Item = &'static CommonError> {
    COMMON_ERRORS.iter().filter(|error| (error.applies)(path, operation))
}
