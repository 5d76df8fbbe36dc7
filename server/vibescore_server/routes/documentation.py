"""The OpenAPI document, and a page to read it in: no script, nothing from elsewhere (SRV-22)."""

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

import msgspec
from sanic import HTTPResponse
from sanic.response import html, raw

from vibescore_server.api import Call, Routes

STYLE = Path(__file__).with_suffix(".css")
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"

Json = Mapping[str, Any]

routes = Routes("Documentation")


@routes.get("/openapi.json", summary="This document")
async def as_json(call: Call) -> dict[str, Any]:
    document: dict[str, Any] = call.request.app.ctx.document()
    return document


@routes.get("/docs", summary="This document as a page", media="text/html")
async def as_page(call: Call) -> HTTPResponse:
    page = "\n".join(page_of(call.request.app.ctx.document()))
    return html(page, headers={"Content-Security-Policy": POLICY})


@routes.get("/docs.css", summary="How the page looks", media="text/css")
async def style(call: Call) -> HTTPResponse:  # noqa: ARG001
    return raw(STYLE.read_bytes(), content_type="text/css; charset=utf-8")


def page_of(document: Json) -> Iterator[str]:
    """The lines of the page."""
    info = document["info"]
    title = escape(f"{info['title']} {info['version']}")
    yield f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/docs.css">
</head>
<body>
<header>
<h1>{title}</h1>
<p>{escape(info["description"])} <a href="/openapi.json">openapi.json</a></p>
</header>
<nav aria-label="Contents"><ul>"""
    names = [tag["name"] for tag in document["tags"]]
    for name in (*names, "Tokens", "Schemas"):
        yield f'<li><a href="#{anchor(name)}">{escape(name)}</a></li>'
    yield "</ul></nav>\n<main>"
    for name in names:
        yield from operations_of(document, name)
    yield from tokens_of(document)
    yield from schemas_of(document)
    yield "</main>\n</body>\n</html>"


def anchor(name: str) -> str:
    return escape(name.lower().replace(" ", "-"), quote=True)


def operations_of(document: Json, tag: str) -> Iterator[str]:
    """The operations of a tag."""
    yield f'<section>\n<h2 id="{anchor(tag)}">{escape(tag)}</h2>'
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation["tags"]:
                yield from operation_of(method.upper(), path, operation)
    yield "</section>"


def operation_of(method: str, path: str, operation: Json) -> Iterator[str]:
    """One operation: who may call, what it takes, what it answers."""
    yield f'<article id="{escape(operation["operationId"], quote=True)}">'
    yield f"<h3><b>{method}</b> <code>{escape(path)}</code></h3>"
    yield f"<p>{escape(operation['summary'])}</p>\n<dl>"
    yield f"<dt>Token</dt><dd>{escape(shown_by(operation))}</dd>"
    for parameter in operation.get("parameters", ()):
        needed = " (required)" if parameter["required"] else ""
        yield f"<dt><code>{escape(parameter['name'])}</code>{needed}</dt>"
        yield f"<dd>{in_words(parameter['schema'])}</dd>"
    if "requestBody" in operation:
        yield f"<dt>Takes</dt><dd>{content_of(operation['requestBody'])}</dd>"
    for status, response in operation["responses"].items():
        yield f"<dt>{status} {escape(response['description'])}</dt><dd>{content_of(response)}</dd>"
    yield "</dl>\n</article>"


def shown_by(operation: Json) -> str:
    """``user or service``; ``none``."""
    ways = (" and ".join(way) or "none" for way in operation.get("security", ({},)))
    return " or ".join(ways)


def content_of(part: Json) -> str:
    """The schemas of a body."""
    return ", ".join(
        f"{in_words(content['schema'])} <small>{escape(media)}</small>"
        for media, content in part["content"].items()
    )


def tokens_of(document: Json) -> Iterator[str]:
    """What the words after "Token" mean."""
    yield '<section>\n<h2 id="tokens">Tokens</h2>\n<dl>'
    for name, scheme in document["components"]["securitySchemes"].items():
        yield f"<dt>{escape(name)}</dt><dd>{escape(scheme['description'])}</dd>"
    yield "</dl>\n</section>"


def schemas_of(document: Json) -> Iterator[str]:
    """The structs that operations name."""
    yield '<section>\n<h2 id="schemas">Schemas</h2>'
    for name, schema in document["components"]["schemas"].items():
        yield f'<article id="{link_to(name)}">\n<h3>{escape(name)}</h3>'
        yield f"<p>{escape(schema.get('description', ''))}</p>\n<dl>"
        for field, kind in schema.get("properties", {}).items():
            needed = " (required)" if field in schema.get("required", ()) else ""
            yield f"<dt><code>{escape(field)}</code>{needed}</dt><dd>{in_words(kind)}</dd>"
        yield "</dl>\n</article>"
    yield "</section>"


def link_to(name: str) -> str:
    return escape(f"schema-{name}", quote=True)


def in_words(schema: Json) -> str:
    """A schema as one line: ``list of <a>HalfHour</a> or null``, and its limits."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{link_to(name)}">{escape(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(in_words(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {in_words(schema.get('items', {}))}"
    said = ("type", "description", "items", "properties", "required")
    limits = {name: value for name, value in schema.items() if name not in said}
    told = [schema.get("type", "anything"), schema.get("description", "")]
    told += [f"{name} {msgspec.json.encode(value).decode()}" for name, value in limits.items()]
    return escape(", ".join(filter(None, told)))
