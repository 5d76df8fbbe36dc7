"""Requests for any endpoint, made from what it declares: a new one is tested without a word."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vibescore_server.api import Endpoint
from vibescore_server.app import ROUTES
from vibescore_server.openapi import document

Json = dict[str, Any]

DOCUMENT = document(ROUTES)
ENDPOINTS: tuple[Endpoint, ...] = tuple(each for routes in ROUTES for each in routes.endpoints)

SAMPLES: Mapping[str, Any] = {
    "email": "somebody@example.org",
    "password": "nobody's password",
    "device_name": "sample",
    "platform": "linux",
    "device_key": "k" * 32,
    "hour_start": "2026-11-18T10:00:00Z",
    "redirect_uri": "http://127.0.0.1:4000/done",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
    "code_verifier": "dBjftJeZ4CVP-mBxtUiFYJmhYGmvnBMDW0bUdzQ3yYQ",
    "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
    "tz": "UTC",
    "day": "2026-11-18",
    "from": "2026-11-17",
    "to": "2026-11-18",
    "effective_from": "2026-11-18",
}
"""What fits where the schema alone does not tell; other fields are filled by their type."""

BY_FORMAT: Mapping[str, str] = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "date": "2026-11-18",
    "date-time": "2026-11-18T10:00:00Z",
}


@dataclass(frozen=True)
class Sample:
    """A request that an endpoint understands; ``words`` are the places of its strings."""

    endpoint: Endpoint
    params: Json = field(default_factory=dict)
    body: Any = None
    words: tuple[tuple[str, ...], ...] = ()

    @property
    def request(self) -> Json:
        """What a client library takes."""
        return {"params": self.params} | ({} if self.body is None else {"json": self.body})

    def planted(self, word: str) -> Iterator["Sample"]:
        """The same request with this word in each place that takes a string, one at a time."""
        for place in self.words:
            if place[0] == "params":
                yield replace(self, params={**self.params, place[1]: word})
            else:
                yield replace(self, body=with_word(self.body, place[1:], word))


def sample(endpoint: Endpoint) -> Sample:
    """A request for an endpoint, with all of its fields."""
    operation = DOCUMENT["paths"][endpoint.path][endpoint.method.lower()]
    schemas = {each["name"]: each["schema"] for each in operation.get("parameters", ())}
    params = {name: value_for(name, schema) for name, schema in schemas.items()}
    body = None
    if "requestBody" in operation:
        body = value_for("", operation["requestBody"]["content"]["application/json"]["schema"])
    words = [("params", name) for name, value in params.items() if isinstance(value, str)]
    return Sample(endpoint, params, body, (*words, *(("body", *each) for each in places(body))))


def value_for(name: str, schema: Json) -> Any:
    """Something that a schema allows."""
    if "$ref" in schema:
        return value_for(name, DOCUMENT["components"]["schemas"][schema["$ref"].split("/")[-1]])
    if "anyOf" in schema:
        return value_for(name, schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "object":
        return {key: value_for(key, kind) for key, kind in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [value_for(name, schema["items"])]
    return SAMPLES.get(name, plain_value(schema))


def plain_value(schema: Json) -> Any:
    match schema.get("type"):
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
    return BY_FORMAT.get(schema.get("format", ""), "x" * max(1, schema.get("minLength", 1)))


def places(value: Any, *way: Any) -> Iterator[tuple[Any, ...]]:
    """Where strings are in a body."""
    match value:
        case dict():
            for name, each in value.items():
                yield from places(each, *way, name)
        case list():
            for index, each in enumerate(value):
                yield from places(each, *way, index)
        case str():
            yield way


def with_word(value: Any, way: tuple[Any, ...], word: str) -> Any:
    """A body with another string in one place."""
    if not way:
        return word
    if isinstance(value, dict):
        return {**value, way[0]: with_word(value[way[0]], way[1:], word)}
    return [*value[: way[0]], with_word(value[way[0]], way[1:], word), *value[way[0] + 1 :]]
