"""What every endpoint and job needs: made once, handed on."""

from collections.abc import Callable
from dataclasses import dataclass

from vibescore_server.db import Database, open_database
from vibescore_server.metrics import Metrics
from vibescore_server.queries.tariff import Tariffs
from vibescore_server.settings import Settings, load_secret
from vibescore_server.tokens import Passwords, Signer


@dataclass(frozen=True, slots=True)
class Services:
    """The outside of the server; ``now`` gives UTC seconds."""

    settings: Settings
    database: Database
    signer: Signer
    passwords: Passwords
    tariffs: Tariffs
    metrics: Metrics
    now: Callable[[], float]

    @classmethod
    def start(cls, settings: Settings, now: Callable[[], float]) -> "Services":
        """Open what there is to open. Raises ServerError."""
        metrics = Metrics()
        threads = settings.database_threads
        return cls(
            settings,
            Database(open_database(settings), threads=threads, waiting=metrics.waiting.set),
            Signer(load_secret(settings)),
            Passwords(),
            Tariffs(settings.pricing_source, settings.pricing_model),
            metrics,
            now,
        )

    def stop(self) -> None:
        """Finish what was begun."""
        self.passwords.close()
        self.database.close()
