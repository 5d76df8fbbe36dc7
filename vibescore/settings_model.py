"""The pydantic-settings model behind ``settings``; imported only when something changed
(CLI-07).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from vibescore.errors import ConfigError
from vibescore.settings import LONGEST_TIMEOUT, PREFIX, SHORTEST_TIMEOUT, Settings

DEFAULTS = Settings()


class Model(BaseSettings):
    """The same fields as ``Settings``, with their checks."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid")

    debug: bool = DEFAULTS.debug
    plugins: Annotated[tuple[str, ...] | None, NoDecode] = DEFAULTS.plugins
    trace_plugins: bool = DEFAULTS.trace_plugins
    http_timeout: Annotated[float, Field(allow_inf_nan=False)] = DEFAULTS.http_timeout
    server: str | None = DEFAULTS.server
    ca_file: str | None = DEFAULTS.ca_file
    allow_http: bool = DEFAULTS.allow_http

    @field_validator("plugins", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """``codex,gemini`` in the environment, a list in the file; nothing at all means all."""
        names = value.split(",") if isinstance(value, str) else value or []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("it is neither a list of names nor a text with commas between them")
        return tuple(name.strip() for name in names if name.strip()) or None

    @field_validator("server", "ca_file")
    @classmethod
    def _strip(cls, text: str | None) -> str | None:
        return (text or "").strip() or None

    @field_validator("http_timeout")
    @classmethod
    def _clamp(cls, seconds: float) -> float:
        return min(max(seconds, SHORTEST_TIMEOUT), LONGEST_TIMEOUT) if seconds else 0.0


def check(file: Mapping[str, Any], variables: Mapping[str, str], config: Path) -> dict[str, Any]:
    """Values and ``origins`` for ``Settings``; raises ConfigError for the first bad one."""
    sources = _sources(file, variables)
    found = {name: source() for name, source in sources.items()}
    try:
        model = _build(list(sources.values()))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise ConfigError(_sentence(name, first["msg"], _origin(name, found), config)) from error
    return {
        **model.model_dump(),
        "origins": {name: _origin(name, found) for name in Model.model_fields},
    }


class _Variables(EnvSettingsSource):
    """The environment that was handed in, not the process's own."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._ours = {name.lower(): value for name, value in variables.items()}
        super().__init__(Model, env_ignore_empty=True)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name: value for name, value in self._ours.items() if value}


def _sources(
    file: Mapping[str, Any], variables: Mapping[str, str]
) -> dict[str, PydanticBaseSettingsSource]:
    return {
        "environment": _Variables(variables),
        "config file": InitSettingsSource(Model, dict(file)),
    }


def _build(sources: list[PydanticBaseSettingsSource]) -> Model:
    class Sourced(Model):
        @classmethod
        def settings_customise_sources(
            cls, *_: Any, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return tuple(sources)

    return Sourced()


def _origin(name: str, found: Mapping[str, Mapping[str, Any]]) -> str:
    return next((origin for origin, values in found.items() if name in values), "default")


def _sentence(name: str, what: str, origin: str, config: Path) -> str:
    where = f"the variable {PREFIX}{name.upper()}" if origin == "environment" else str(config)
    known = ", ".join(Model.model_fields)
    if name not in Model.model_fields:
        return f"{where} has an unknown setting {name!r}: known are {known}"
    return f"the setting {name!r} in {where} is not usable: {what.removeprefix('Value error, ')}"
