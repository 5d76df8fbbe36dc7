"""Connections: clients that take their time, and clients that stay when the server stops."""

from asyncio import BaseTransport

from sanic.http import Stage
from sanic.server.protocols.http_protocol import HttpProtocol

LAST_WORDS_SECONDS = 1


class BoundedProtocol(HttpProtocol):
    """Counts the time limits from the first byte of a request: a client that sends a byte now and
    then holds its connection no longer than one that sends none.
    """

    __slots__ = ()

    def connection_made(self, transport: BaseTransport) -> None:
        """Know the connection until it is lost."""
        super().connection_made(transport)  # type: ignore[no-untyped-call]
        self.app.ctx.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.app.ctx.connections.discard(self)
        super().connection_lost(exc)  # type: ignore[no-untyped-call]

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; only the first byte of a request starts the time anew."""
        began = self._time
        super().data_received(data)
        if self.http is not None and (self.http.stage is not Stage.IDLE or self.http.request_body):
            self._time = began

    def check_timeouts(self) -> None:
        """Whoever was too slow is told, and has a moment to read it; the rest is not awaited."""
        super().check_timeouts()  # type: ignore[no-untyped-call]
        if self.http is not None and self.http.exception is not None:
            self.loop.call_later(LAST_WORDS_SECONDS, self.close)

    def finish(self) -> None:
        """Close the connection: now, or after the answer that is under way."""
        if not self.close_if_idle():
            self.http.keep_alive = False
