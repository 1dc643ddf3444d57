//! The OpenAPI document: what its head says, and what every operation has in common. The operations
//! themselves stand on their handlers, the shapes of values on the types that are sent.
//! A route states the least role it takes as the scope of its `bearer` credential; a test holds
//! each route to what is stated.

use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref, RefOr,
};
use utoipa::{PartialSchema, ToSchema};

use crate::error::ProblemDocument;

/// The name of the credential in the document.
pub(crate) const BEARER: &str = "bearer";

const ABOUT: &str = "\
Users of the file servers, and the admins who manage them.

Send `Authorization: Bearer …` with a token from `POST /api/v1/auth/token` or with an API key. Each \
operation names the least role it takes: `auditor` reads everything, `user-manager` changes users and \
sessions too, `owner` does everything. `audit` is for auditors and owners.

Sizes are bytes, times RFC 3339 in UTC. Members that are not known are refused, so that a typo never grants \
anything. Every answer carries `X-Request-Id`: the one sent, where one was sent, and the one to look for in \
the log. Whatever fails is answered with a problem document (RFC 9457).";

/// The document before any route has been added.
pub(crate) fn head() -> OpenApi {
    let licence = LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build();
    let info = InfoBuilder::new()
        .title("Wharfinger admin API")
        .version("1")
        .description(Some(ABOUT))
        .license(Some(licence));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token from `POST /api/v1/auth/token`, or an API key (`whk_…`)."));
    let components = ComponentsBuilder::new()
        .security_scheme(BEARER, SecurityScheme::Http(bearer.build()))
        .schema(ProblemDocument::name(), ProblemDocument::schema());
    let tags = [
        ("auth", "Tokens"),
        ("users", "Who may log in to the file servers"),
        ("admins", "Who may use this API, and with which keys"),
        ("audit", "Who did what, in records that show tampering"),
        ("sessions", "Who is logged in, on which file server"),
        ("service", "The service itself"),
    ];
    let tags = tags.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build());
    OpenApiBuilder::new()
        .info(info.build())
        .components(Some(components.build()))
        .tags(Some(tags.to_vec()))
        .build()
}

/// Adds to each operation the refusals that follow from what it takes.
pub(crate) fn complete(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.put, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            may_be_left_out(operation);
            for (status, about) in refusals(operation) {
                let content =
                    ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemDocument::name())));
                let response = ResponseBuilder::new()
                    .description(about)
                    .content("application/problem+json", content.build());
                let stated = &mut operation.responses.responses;
                stated.entry(status.to_owned()).or_insert_with(|| response.build().into());
            }
        }
    }
}

/// A body that may be left out may not be null instead.
fn may_be_left_out(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content
            && let Some(RefOr::T(Schema::OneOf(either))) = &mut content.schema
        {
            content.schema = either.items.pop();
        }
    }
}

/// Whether an operation takes parameters of this kind.
fn takes(operation: &Operation, place: &ParameterIn) -> bool {
    let parameters = operation.parameters.iter().flatten();
    parameters
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(&parameter.parameter_in),
            RefOr::Ref(_) => None,
        })
        .any(|found| found == place)
}

fn refusals(operation: &Operation) -> Vec<(&'static str, &'static str)> {
    let mut refusals = vec![
        ("429", "Too many requests or failed logins; `Retry-After` says how long to wait"),
        ("500", "The service failed; the log says why, under this request's id"),
        ("503", "The store can't be used, or the service is busy; `Retry-After` says when to try again"),
    ];
    if operation.security.is_some() {
        refusals.push(("401", "No credential, or one that is not good (any more)"));
        refusals.push(("403", "The role may not do this"));
    }
    if takes(operation, &ParameterIn::Path) {
        refusals.push(("404", "There is nothing of this name"));
    }
    if takes(operation, &ParameterIn::Header) {
        refusals.push(("400", "A header or the body can't be read"));
        refusals.push(("412", "The version is not the one in `If-Match`"));
    }
    if takes(operation, &ParameterIn::Query) {
        refusals.push(("400", "The address can't be read"));
        refusals.push(("422", "A parameter is not acceptable; `errors` names each"));
    }
    if operation.request_body.is_some() {
        refusals.push(("400", "The body can't be read"));
        refusals.push(("408", "The body took too long to arrive"));
        refusals.push(("413", "The body is too large"));
        refusals.push(("415", "The body is not of the kind asked for"));
        refusals.push(("422", "A member is not acceptable; `errors` points at each"));
    }
    refusals
}
