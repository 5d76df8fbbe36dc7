"""The OpenAPI document, made from the declarations of the endpoints (SRV-22)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, get_args, get_origin

import msgspec
from sanic import HTTPResponse

from vibescore_server.api import API_VERSION, JSON, Answer, Endpoint, Routes
from vibescore_server.auth import AdminCaller
from vibescore_server.errors import (
    ApiError,
    BadRequest,
    ErrorBody,
    Forbidden,
    TooLarge,
    TooMany,
    Unauthorized,
    Unavailable,
    Unsupported,
)

Json = dict[str, Any]

SCHEMAS = "#/components/schemas/{name}"
BEARER = {"type": "http", "scheme": "bearer"}
SCHEMES: Mapping[str, Json] = {
    "user": {
        **BEARER,
        "bearerFormat": "JWT",
        "description": "Access token of a person: short-lived, from sign-in or refresh.",
    },
    "admin": {
        **BEARER,
        "bearerFormat": "JWT",
        "description": "Access token of a person whose role is admin.",
    },
    "device": {**BEARER, "description": "Token of a linked computer."},
    "service": {**BEARER, "description": "VIBESCORE_SERVER_SERVICE_TOKEN."},
    "metrics": {**BEARER, "description": "VIBESCORE_SERVER_METRICS_TOKEN."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "vibescore_session",
        "description": "Refresh token of a browser; each is used once.",
    },
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": "The csrfToken that came with the session.",
    },
}
HEADERS: Mapping[str, Json] = {
    "X-Request-Id": {
        "description": "Names this request in the server's log",
        "required": True,
        "schema": {"type": "string", "minLength": 1, "maxLength": 64},
    },
    "X-Vibescore-Api": {
        "description": "The API version that the server speaks",
        "required": True,
        "schema": {"type": "string", "const": str(API_VERSION)},
    },
    "WWW-Authenticate": {
        "description": "How to say who calls",
        "required": True,
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds to wait before another attempt",
        "required": True,
        "schema": {"type": "string", "pattern": r"^[0-9]+$"},
    },
}
EVERYWHERE = ("X-Request-Id", "X-Vibescore-Api")
MORE: Mapping[type[ApiError], str] = {
    Unauthorized: "WWW-Authenticate",
    TooMany: "Retry-After",
    Unavailable: "Retry-After",
}
"""What answers of a kind carry besides."""


def document(routes: Iterable[Routes]) -> Json:
    """OpenAPI 3.1 of all endpoints."""
    endpoints = [endpoint for each in routes for endpoint in each.endpoints]
    schemas, named = schemas_of(endpoints)
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        described = operation(endpoint, schemas)
        if endpoint.query:
            described["parameters"] = list(parameters(named[endpoint.query.__name__]))
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vibescore-server",
            "version": version("vibescore-server"),
            "description": "Keeps half-hour sums of tokens and answers what was used.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in dict.fromkeys(each.tag for each in endpoints)],
        "paths": paths,
        "components": {
            "schemas": named,
            "securitySchemes": dict(SCHEMES),
            "headers": dict(HEADERS),
        },
    }


def schemas_of(endpoints: Sequence[Endpoint]) -> tuple[dict[Any, Json], Json]:
    """The schema of each type on the wire, and those that have a name."""
    kinds = list(
        dict.fromkeys([ErrorBody, *(kind for each in endpoints for kind in kinds_of(each))])
    )
    schemas, named = msgspec.json.schema_components(kinds, ref_template=SCHEMAS)
    return dict(zip(kinds, in_json_schema(schemas), strict=True)), in_json_schema(named)


def kinds_of(endpoint: Endpoint) -> Iterator[Any]:
    """What an endpoint decodes and encodes."""
    yield from filter(None, (endpoint.query, endpoint.body))
    if answers_json(endpoint):
        yield answer_of(endpoint)


def answer_of(endpoint: Endpoint) -> Any:
    """What is in the body of the answer."""
    wrapped = get_origin(endpoint.answer) is Answer
    return get_args(endpoint.answer)[0] if wrapped else endpoint.answer


def answers_json(endpoint: Endpoint) -> bool:
    return endpoint.media == JSON and answer_of(endpoint) is not HTTPResponse


def in_json_schema(part: Any) -> Any:
    r"""A schema with patterns in the dialect of JSON Schema, where ``$`` is Python's ``\Z``."""
    match part:
        case dict():
            return {name: in_json_schema(value) for name, value in part.items()}
        case list() | tuple():
            return [in_json_schema(each) for each in part]
        case str() if part.endswith(r"\Z"):
            return part.removesuffix(r"\Z") + "$"
    return part


def operation(endpoint: Endpoint, schemas: Mapping[Any, Json]) -> Json:
    """One method of one path."""
    told: Json = {
        "operationId": operation_id(endpoint),
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "responses": dict(responses(endpoint, schemas)),
    }
    if endpoint.security:
        told["security"] = [{name: [] for name in each} for each in endpoint.security]
    if endpoint.body is not None:
        body = {JSON: {"schema": schemas[endpoint.body]}}
        told["requestBody"] = {"required": True, "content": body}
    return told


def operation_id(endpoint: Endpoint) -> str:
    """The last word of the path, with the method: ``post-ingest``."""
    slug = endpoint.path.removeprefix("/functions/vibescore-").removeprefix("/api/auth/")
    words = slug.strip("/").replace(".", "-").replace("/", "-") or "root"
    return f"{endpoint.method.lower()}-{words}"


def parameters(struct: Json) -> Iterator[Json]:
    """The query parameters of a struct."""
    for name, schema in struct["properties"].items():
        said = {key: schema[key] for key in ("description",) if key in schema}
        required = name in struct.get("required", ())
        yield {"name": name, "in": "query", "required": required, **said, "schema": shown(schema)}


def shown(schema: Json) -> Json:
    """The schema of a parameter that is there: it cannot be null, only absent."""
    kinds = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    default = {"default": schema["default"]} if schema.get("default") is not None else {}
    if len(kinds) == 1:
        return {**kinds[0], **default}
    rest = {name: value for name, value in schema.items() if name not in ("default", "anyOf")}
    return {**rest, **({"anyOf": kinds} if kinds else {}), **default}


def responses(endpoint: Endpoint, schemas: Mapping[Any, Json]) -> Iterator[tuple[str, Json]]:
    """What an endpoint answers, by status."""
    content = {"schema": schemas[answer_of(endpoint)]} if answers_json(endpoint) else TEXT
    yield (
        str(endpoint.status),
        {
            "description": HTTPStatus(endpoint.status).phrase,
            "headers": headers(EVERYWHERE),
            "content": {endpoint.media: content},
        },
    )
    for kind in sorted(refusals(endpoint), key=lambda kind: kind.status):
        more = (MORE[kind],) if kind in MORE else ()
        yield (
            str(int(kind.status)),
            {
                "description": kind.status.phrase,
                "headers": headers((*EVERYWHERE, *more)),
                "content": {JSON: {"schema": schemas[ErrorBody]}},
            },
        )


TEXT: Json = {"schema": {"type": "string"}}


def headers(names: Iterable[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def refusals(endpoint: Endpoint) -> set[type[ApiError]]:
    """The errors that can happen: those that an endpoint names, and those of its form.

    A wrong Host or API version (400), a body nobody asked for that is too large (413), and a
    server that is busy (503) happen to any request.
    """
    kinds = {*endpoint.errors, BadRequest, TooLarge, Unavailable}
    if endpoint.caller:
        kinds.add(Unauthorized)
        if AdminCaller in endpoint.caller[1]:
            kinds.add(Forbidden)
    if endpoint.body is not None:
        kinds.add(Unsupported)
    return {base_of(kind) for kind in kinds}


def base_of(kind: type[ApiError]) -> type[ApiError]:
    """The kind as the errors' tree draws it: one for each status."""
    above = kind.__mro__[1]
    return base_of(above) if getattr(above, "status", None) is kind.status else kind
