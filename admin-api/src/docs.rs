//! The OpenAPI document as a page for people, at `/docs`: written once at start, without scripts,
//! and without anything from elsewhere, so that it can be read where there is no internet and its
//! policy need allow nothing but its own style sheet.

use std::fmt::{self, Display, Write};

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, body::Bytes};
use serde_json::Value;
use utoipa::openapi::OpenApi;

const STYLE: &str = include_str!("docs/style.css");
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
const METHODS: [&str; 5] = ["get", "post", "patch", "put", "delete"];

/// `/openapi.json`, `/docs` and its style sheet.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(document: &OpenApi) -> Router<S> {
    let json = serde_json::to_value(document).unwrap_or_default();
    let text = Bytes::from(json.to_string());
    let page = Bytes::from(page(&json));
    Router::new()
        .route("/openapi.json", get(async move || sent("application/json", text.clone())))
        .route("/docs", get(async move || sent("text/html; charset=utf-8", page.clone())))
        .route("/docs/style.css", get(async || sent("text/css", STYLE.into())))
}

fn sent(kind: &'static str, content: Bytes) -> Response {
    ([(CONTENT_TYPE, kind), (CONTENT_SECURITY_POLICY, POLICY)], content).into_response()
}

fn page(document: &Value) -> String {
    let mut page = String::new();
    // A String can be written to without fail.
    let _ = write_page(&mut page, document);
    page
}

fn write_page(page: &mut String, document: &Value) -> fmt::Result {
    let title = Escaped(text(at(document, "/info/title")));
    write!(
        page,
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><link rel=\"stylesheet\" href=\"/docs/style.css\"><h1>{title}</h1>"
    )?;
    paragraphs(page, text(at(document, "/info/description")))?;
    write!(page, "<p>For programs: <a href=\"/openapi.json\">openapi.json</a>")?;
    for tag in at(document, "/tags").as_array().into_iter().flatten() {
        let (name, about) = (text(at(tag, "/name")), text(at(tag, "/description")));
        write!(page, "<h2 id=\"{0}\">{0}</h2><p>{1}</p>", Escaped(name), Escaped(about))?;
        for (path, item) in at(document, "/paths").as_object().into_iter().flatten() {
            for method in METHODS {
                let operation = item.get(method).unwrap_or(&Value::Null);
                if at(operation, "/tags/0") == name {
                    write_operation(page, method, path, operation)?;
                }
            }
        }
    }
    write!(page, "<h2>Shapes</h2>")?;
    for (name, schema) in at(document, "/components/schemas").as_object().into_iter().flatten() {
        write!(page, "<details id=\"shape-{0}\"><summary><b>{0}</b></summary>", Escaped(name))?;
        paragraphs(page, text(at(schema, "/description")))?;
        write_members(page, schema)?;
        write!(page, "</details>")?;
    }
    Ok(())
}

fn write_operation(page: &mut String, method: &str, path: &str, operation: &Value) -> fmt::Result {
    let (id, summary) =
        (Escaped(text(at(operation, "/operationId"))), Escaped(text(at(operation, "/summary"))));
    let role = at(operation, "/security/0/bearer/0").as_str().unwrap_or("anybody");
    write!(
        page,
        "<details id=\"{id}\"><summary><b class=\"{method}\">{}</b> <code>{}</code> {summary} \
         <i>{}</i></summary>",
        method.to_uppercase(),
        Escaped(path),
        Escaped(role)
    )?;
    paragraphs(page, text(at(operation, "/description")))?;
    for parameter in at(operation, "/parameters").as_array().into_iter().flatten() {
        let (name, about) = (text(at(parameter, "/name")), text(at(parameter, "/description")));
        let (place, kind) = (text(at(parameter, "/in")), Kind(at(parameter, "/schema")));
        write!(page, "<p><code>{}</code> ({place}, {kind}) {}", Escaped(name), Escaped(about))?;
    }
    for (media, content) in at(operation, "/requestBody/content").as_object().into_iter().flatten() {
        write!(page, "<p>Body, {}: {}", Escaped(media), Kind(at(content, "/schema")))?;
    }
    write!(page, "<table>")?;
    for (status, response) in at(operation, "/responses").as_object().into_iter().flatten() {
        write!(page, "<tr><td>{}<td>{}<td>", Escaped(status), Escaped(text(at(response, "/description"))))?;
        for content in at(response, "/content").as_object().into_iter().flatten() {
            write!(page, "{}", Kind(at(content.1, "/schema")))?;
        }
    }
    write!(page, "</table></details>")
}

/// The members of an object, or the words of an enumeration.
fn write_members(page: &mut String, schema: &Value) -> fmt::Result {
    let parts = at(schema, "/allOf").as_array().into_iter().flatten();
    for part in parts {
        if at(part, "/$ref").is_string() {
            write!(page, "<p>All of {}, and", Kind(part))?;
        } else {
            write_members(page, part)?;
        }
    }
    if at(schema, "/properties").is_object() {
        write!(page, "<table>")?;
    } else if at(schema, "/enum").is_array() {
        return write!(page, "<p>{}", Kind(schema));
    }
    let required = at(schema, "/required").as_array();
    for (name, member) in at(schema, "/properties").as_object().into_iter().flatten() {
        let star = if required.is_some_and(|all| all.iter().any(|one| one == name)) { "" } else { "?" };
        let about = text(at(member, "/description"));
        write!(
            page,
            "<tr><td><code>{}{star}</code><td>{}<td>{}",
            Escaped(name),
            Kind(member),
            Escaped(about)
        )?;
    }
    if at(schema, "/properties").is_object() { write!(page, "</table>") } else { Ok(()) }
}

/// Paragraphs as the document has them: empty lines between, code in backquotes.
fn paragraphs(page: &mut String, text: &str) -> fmt::Result {
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        write!(page, "<p>")?;
        for (index, part) in paragraph.split('`').enumerate() {
            let (open, close) = if index % 2 == 1 { ("<code>", "</code>") } else { ("", "") };
            write!(page, "{open}{}{close}", Escaped(part))?;
        }
    }
    Ok(())
}

/// What stands at a JSON pointer, or null.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A schema in a few words, with a link to its shape.
struct Kind<'a>(&'a Value);

impl Display for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.0;
        if let Some(name) = text(at(schema, "/$ref")).strip_prefix("#/components/schemas/") {
            return write!(f, "<a href=\"#shape-{0}\">{0}</a>", Escaped(name));
        }
        for (index, part) in at(schema, "/oneOf").as_array().into_iter().flatten().enumerate() {
            write!(f, "{}{}", if index == 0 { "" } else { " or " }, Kind(part))?;
        }
        match at(schema, "/type") {
            Value::String(kind) if kind == "array" => write!(f, "array of {}", Kind(at(schema, "/items")))?,
            Value::String(kind) => write!(f, "{}", Escaped(kind))?,
            Value::Array(kinds) => {
                let kinds: Vec<&str> = kinds.iter().filter_map(Value::as_str).collect();
                write!(f, "{}", Escaped(&kinds.join(" or ")))?;
            }
            _ => {}
        }
        if let Some(format) = at(schema, "/format").as_str() {
            write!(f, " ({})", Escaped(format))?;
        }
        for (index, word) in at(schema, "/enum").as_array().into_iter().flatten().enumerate() {
            write!(f, "{}<code>{}</code>", if index == 0 { ": " } else { ", " }, Escaped(text(word)))?;
        }
        Ok(())
    }
}

/// Text as HTML may hold it, also within quotes.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| match letter {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            other => f.write_char(other),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_page_names_every_operation_and_every_shape() {
        let document = serde_json::to_value(crate::document()).unwrap();
        let page = page(&document);
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(page.contains(&format!("<details id=\"{id}\">")), "{id} has no place on the page");
            }
        }
        for name in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(page.contains(&format!("<details id=\"shape-{name}\">")), "{name}");
        }
    }

    #[test]
    fn the_page_asks_for_nothing_from_elsewhere_and_runs_nothing() {
        let page = page(&serde_json::to_value(crate::document()).unwrap()).to_lowercase();
        for foreign in ["http:", "https:", "\"//", "<script", "javascript", "style="] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn what_the_document_holds_is_text_on_the_page() {
        let document = json!({"info": {"title": "<b>\"a\" & b</b>", "description": "`<i>`\n\nx"}});
        let page = page(&document);
        assert!(page.contains("<title>&lt;b&gt;&quot;a&quot; &amp; b&lt;/b&gt;</title>"), "{page}");
        assert!(page.contains("<p><code>&lt;i&gt;</code><p>x"), "{page}");
    }
}
