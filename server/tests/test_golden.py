"""The server keeps the contract: it answers every golden wire file as written (SRV-25)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from serving import Server, start
from wire import GOLDEN, Answer, Exchange, differences, exchanges, filled, learned

GIVEN = json.loads((GOLDEN / "server.json").read_text("utf-8"))
PLAYED = [exchange for exchange in exchanges() if exchange.condition is None]
"""What needs a server in distress is shown by the tests of that distress."""

UNLIMITED = dict.fromkeys(
    ("sign_in_per_minute", "sign_up_per_hour", "link_per_minute", "ingest_per_minute"), 10_000
)
NO_JOBS = {"leaderboard_minutes": 0, "pricing_sync_hours": 0}


def settings(**given: Any) -> dict[str, object]:
    """Settings of the golden files in the words of this server."""
    wanted = GIVEN["settings"] | given
    return {
        **({"sign_up": "true"} if wanted["sign_up"] else {}),  # else open for the first user
        **({} if wanted["rate_limits"] else UNLIMITED),
        **({} if wanted["scheduler"] else NO_JOBS),
        "allowed_origins": ",".join(wanted["allowed_origins"]),
        "pricing_source": wanted["pricing_source"],
        "pricing_model": wanted["pricing_model"],
        "access_token_minutes": wanted["access_token_minutes"],
        "min_interval_minutes": wanted["sync_interval_minutes"],
        "service_token": GIVEN["service_token"],
        "public_url": GIVEN["public_url"],
    }


class Player:
    """Plays the files in their order, each once, as far as it is asked to."""

    def __init__(self, folder: Path, database: str, catalogue: str) -> None:
        self._folder, self._database = folder, database
        self._fixed = {"pricing_url": catalogue}
        self._known: dict[str, str] = {}
        self._found: dict[str, list[str]] = {}
        self._left = iter(PLAYED)
        self._server: Server | None = None

    def differences(self, name: str) -> list[str]:
        """How the answer was not as agreed; the files before this one are played first."""
        while name not in self._found:
            exchange = next(self._left)
            self._found[exchange.name] = self._play(exchange)
        return self._found[name]

    def stop(self) -> None:
        if self._server:
            self._server.stop()

    def _play(self, exchange: Exchange) -> list[str]:
        server = self._serving(exchange)
        answer = send(server, exchange, self._known)
        self._known |= learned(exchange, answer)
        return differences(exchange, answer, self._known)

    def _serving(self, exchange: Exchange) -> Server:
        """The server that this exchange is with, at its time."""
        now = exchange.at.isoformat()
        if self._server is None or exchange.settings:
            self.stop()
            wanted = settings(**exchange.settings) | self._fixed
            self._server = start(self._folder, self._database, now, **wanted)
        self._server.set_clock(now)
        return self._server


def send(server: Server, exchange: Exchange, known: Mapping[str, str]) -> Answer:
    request = filled(exchange.request, known)
    answer = server.client.request(
        request.method,
        request.path,
        params=request.query,
        headers=request.headers,
        content=request.content,
    )
    server.client.cookies.clear()
    return Answer(answer.status_code, answer.headers.multi_items(), answer.content)


@contextmanager
def catalogue() -> Iterator[str]:
    """Serves the golden catalogue; its address."""
    content = (GOLDEN / GIVEN["catalogue"]["file"]).read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        serving = Thread(target=http.serve_forever)
        serving.start()
        try:
            yield GIVEN["catalogue"]["url"].format(port=http.server_port)
        finally:
            http.shutdown()
            serving.join()


@pytest.fixture(scope="module")
def player(
    new_database: Callable[[], AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Player]:
    with ExitStack() as stack:
        database = stack.enter_context(new_database())
        address = stack.enter_context(catalogue())
        player = Player(tmp_path_factory.mktemp("golden"), database, address)
        stack.callback(player.stop)
        yield player


@pytest.mark.requirement("SRV-25", "SRV-21", "SRV-23")
@pytest.mark.parametrize("name", [exchange.name for exchange in PLAYED])
def test_the_server_answers_as_agreed(player: Player, name: str) -> None:
    assert "\n".join(player.differences(name)) == ""
