"""The settings of a server: flags, then VIBESCORE_SERVER_*, then defaults that need nothing."""

import secrets
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from vibescore_server.errors import ServerError
from vibescore_server.logs import Level

PREFIX = "VIBESCORE_SERVER_"
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")

Names = Annotated[tuple[str, ...], NoDecode]
Positive = Annotated[int, Field(gt=0)]


class Settings(BaseSettings):
    """Everything that can be set; a setting's description is its documentation."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8390, ge=0, le=65535, description="Port to listen on; 0: any free one")
    workers: Positive = Field(1, description="Processes; more than one needs PostgreSQL")
    data_dir: Path = Field(
        default_factory=lambda: Path.home() / ".vibescore-server",
        description="Holds the SQLite file and the secret",
    )
    database_url: str = Field(
        "", description="sqlite:///… or postgresql://…; without it, SQLite in DATA_DIR"
    )
    database_threads: Positive = Field(4, description="Connections of each process")
    secret: SecretStr | None = Field(
        None, min_length=32, description="Signs tokens; without it, DATA_DIR/secret, made once"
    )
    public_url: AnyHttpUrl | None = Field(None, description="Where people reach the server")
    allowed_hosts: Names = Field((), description="Further names in Host that are answered")
    allowed_origins: Names = Field((), description="Other web origins that may call the API")
    proxies: int = Field(0, ge=0, description="Reverse proxies in front that set X-Forwarded-For")
    sign_up: bool | None = Field(
        None, description="true, false; without it, open on loopback until there is a user"
    )
    dashboard: bool = Field(
        default=True, description="Whether the dashboard is served; false: plain pages alone"
    )
    service_token: SecretStr | None = Field(
        None, min_length=32, description="For administration by scripts; without it, none works"
    )
    metrics_token: SecretStr | None = Field(
        None, min_length=16, description="Opens /metrics; without it, /metrics is not there"
    )
    log_level: Level = Field("info", description="debug, info, warning or error")
    access_token_minutes: Positive = Field(15, description="Life of an access token")
    refresh_token_days: Positive = Field(30, description="Life of a session nobody uses")
    min_interval_minutes: Positive = Field(30, description="Between two heartbeats of a device")
    retention_days: Positive = Field(30, description="Life of the ingest log")
    max_body_bytes: Positive = Field(1_000_000, description="Largest request body")
    max_in_flight: Positive = Field(200, description="Requests at a time, in each process")
    head_seconds: Positive = Field(10, description="For a client to send a request's head")
    request_seconds: Positive = Field(60, description="For a request, from its first byte on")
    stop_seconds: Positive = Field(15, description="For requests to end after SIGTERM or SIGINT")
    sign_in_per_minute: Positive = Field(
        10, description="Attempts by one address, and for one user"
    )
    sign_up_per_hour: Positive = Field(20, description="Sign-ups by one address")
    link_per_minute: Positive = Field(30, description="Code exchanges by one address")
    ingest_per_minute: Positive = Field(120, description="Batches by one device")
    pricing_url: AnyHttpUrl = Field(
        AnyHttpUrl("https://openrouter.ai/api/v1/models"),
        description="Price catalogue, in OpenRouter's models format",
    )
    pricing_source: str = Field("openrouter", description="Name of the prices from PRICING_URL")
    pricing_model: str = Field(
        "gpt-5.2-codex", description="Whose prices are shown where nothing was used"
    )
    pricing_sync_hours: int = Field(0, ge=0, description="Between two pricing syncs; 0: never")
    scheduler: bool = Field(default=True, description="Whether this server does jobs by the clock")
    leaderboard_minutes: int = Field(15, ge=0, description="Between two refreshes; 0: never")

    @field_validator("allowed_hosts", "allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(name.strip().lower().rstrip("/") for name in value.split(",") if name.strip())

    @field_validator("database_url")
    @classmethod
    def _check_database(cls, value: str) -> str:
        scheme = value.partition("://")[0]
        if value and scheme not in {"sqlite", "postgresql", "postgres"}:
            raise ValueError("begins with sqlite:/// or postgresql://")
        return value

    @property
    def database(self) -> str:
        """The URL of the database."""
        return self.database_url or f"sqlite:///{self.data_dir / 'vibescore.db'}"

    @property
    def on_loopback(self) -> bool:
        """Whether only this computer can reach the server."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def hosts(self) -> frozenset[str]:
        """What Host may say, ports aside (SRV-20)."""
        public = self.public_url.host if self.public_url else None
        own = f"[{self.host}]" if ":" in self.host else self.host.lower()
        return frozenset(filter(None, (*LOOPBACK_NAMES, own, public, *self.allowed_hosts)))

    @property
    def origin(self) -> str | None:
        """The public URL as browsers write an origin."""
        parts = urlsplit(str(self.public_url))
        return f"{parts.scheme}://{parts.netloc}" if self.public_url else None

    @property
    def secure(self) -> bool:
        """Whether people come by https, so that cookies may insist on it."""
        return self.public_url is not None and self.public_url.scheme == "https"


def load_settings(**flags: Any) -> Settings:
    """The settings; a flag that is None was not given. Raises ServerError, which names each
    setting that cannot be used.
    """
    try:
        settings = Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        wrong = "; ".join(
            f"{PREFIX}{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()
        )
        raise ServerError(f"Settings that cannot be used: {wrong}") from None
    if settings.workers > 1 and urlsplit(settings.database).scheme == "sqlite":
        raise ServerError(
            f"{PREFIX}WORKERS is {settings.workers}, but SQLite serves one process: "
            f"set {PREFIX}DATABASE_URL to postgresql://…, or WORKERS to 1"
        )
    return settings


def make_data_dir(settings: Settings) -> None:
    """Create DATA_DIR, readable by its owner alone. Raises ServerError."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ServerError(
            f"{settings.data_dir} cannot be created: {error.strerror}. {PREFIX}DATA_DIR names "
            "another place"
        ) from error


def load_secret(settings: Settings) -> bytes:
    """What signs tokens: the setting, else DATA_DIR/secret, made once with mode 0600.

    Raises ServerError.
    """
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    make_data_dir(settings)
    path = settings.data_dir / "secret"
    try:
        _create(path)
        return path.read_bytes()
    except OSError as error:
        raise ServerError(f"{path} cannot be used: {error.strerror}") from error


def _create(path: Path) -> None:
    """Write a new secret, unless there is one: linking a finished file never shows half of it."""
    if path.exists():
        return
    draft = path.with_name(f"secret.{secrets.token_hex(8)}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(48))
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass  # another process was first, and both use its secret
    finally:
        draft.unlink()
