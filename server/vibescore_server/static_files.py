"""Files that are sent as they are, from memory, in the coding that a client likes best.

What was compressed beforehand lies beside its file: ``main.js``, ``main.js.br``, ``main.js.gz``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Self

CODINGS: Mapping[str, str] = {"br": ".br", "gzip": ".gz"}
"""How files that were compressed end, the smallest first."""

IDENTITY = "identity"

MEDIA: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
UNKNOWN = "application/octet-stream"

TAG = re.compile(r'"[^"]*"')

Contents = Mapping[str, bytes]
"""Contents by coding."""


@dataclass(frozen=True, slots=True)
class Form:
    """A file in one coding; ``headers`` go with an answer whether or not it has the body."""

    body: bytes
    coding: Mapping[str, str]
    headers: Mapping[str, str]

    def is_known(self, if_none_match: str) -> bool:
        """Whether a client has it already (RFC 9110, 13.1.2)."""
        known = TAG.findall(if_none_match)
        return self.headers["ETag"] in known or if_none_match.strip() == "*"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file in all its codings, the plain one last."""

    media: str
    forms: Mapping[str, Form]

    @classmethod
    def of(cls, name: str, contents: Contents, headers: Mapping[str, str]) -> Self:
        """The file with what it contains, and headers of its own."""
        media = MEDIA.get(PurePosixPath(name).suffix, UNKNOWN)
        order = [coding for coding in (*CODINGS, IDENTITY) if coding in contents]
        return cls(media, {each: form_of(each, contents[each], headers) for each in order})

    def form_for(self, accept_encoding: str) -> Form:
        """What a client likes best; the smallest of equals."""
        return self.forms[preferred(accept_encoding, tuple(self.forms))]


def form_of(coding: str, body: bytes, headers: Mapping[str, str]) -> Form:
    """A strong ETag names the bytes, so each coding has its own (RFC 9110, 8.8.3)."""
    tag = f'"{sha256(body).hexdigest()[:24]}"'
    named = {} if coding == IDENTITY else {"Content-Encoding": coding}
    return Form(body, named, {"ETag": tag, "Vary": "Accept-Encoding", **headers})


def preferred(accept_encoding: str, offered: tuple[str, ...]) -> str:
    """The offered coding with the greatest weight, the first of equals; the last, which is the
    plain one, where none may be sent (RFC 9110, 12.5.3).
    """
    weights = weights_of(accept_encoding)
    usual = weights.get("*", 0.0)
    best = max(offered, key=lambda coding: weights.get(coding, usual))
    return best if weights.get(best, usual) > 0 else offered[-1]


def weights_of(accept_encoding: str) -> dict[str, float]:
    """The weights that a client gives to codings; what cannot be understood has none."""
    weights = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameter = part.partition(";")
        name, _, value = parameter.strip().partition("=")
        weights[coding.strip()] = weight(value) if name == "q" else 1.0
    return weights


def weight(value: str) -> float:
    return float(value) if re.fullmatch(r"0(\.\d{0,3})?|1(\.0{0,3})?", value) else 0.0


def read(folder: Traversable, at: str = "/") -> Iterator[tuple[str, bytes]]:
    """The paths and contents of all files in a folder, hidden ones aside."""
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        path = f"{at}{entry.name}"
        if entry.is_dir():
            yield from read(entry, f"{path}/")
        else:
            yield path, entry.read_bytes()


def together(files: Mapping[str, bytes]) -> dict[str, Contents]:
    """The contents of each file in all codings, by its path."""
    compressed = {f"{path}{ending}" for path in files for ending in CODINGS.values()}
    return {path: codings_of(path, files) for path in files if path not in compressed}


def codings_of(path: str, files: Mapping[str, bytes]) -> Contents:
    beside = {coding: f"{path}{ending}" for coding, ending in CODINGS.items()}
    found = {coding: files[name] for coding, name in beside.items() if name in files}
    return {**found, IDENTITY: files[path]}
