"""Linking as the server and the user make it go: answers that get lost, browsers that lie, users
who take their time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from serving import Person, Server, serving

from vibescore.client import Client
from vibescore.errors import LinkError
from vibescore.linking import (
    Device,
    Shown,
    Watch,
    link_by_browser,
    link_by_code,
    link_by_showing,
)

DEVICE = Device("tower", "linux", "k" * 64)
START = datetime.fromisoformat("2026-11-18T12:00:00+00:00")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def ada(server: Server) -> Person:
    server.set_clock(START.isoformat())
    return server.sign_up()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client.open(server.url) as client:
        yield client


@dataclass
class Hours:
    """A clock that the server shares: who sleeps moves both, and then somebody may act."""

    server: Server
    acts: dict[int, Callable[[], object]] = field(default_factory=dict)
    slept: list[float] = field(default_factory=list)

    @property
    def watch(self) -> Watch:
        return Watch(lambda: sum(self.slept), self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.server.set_clock((START + timedelta(seconds=sum(self.slept))).isoformat())
        if act := self.acts.get(len(self.slept)):
            act()


def asked_for(address: str) -> dict[str, str]:
    """What the page of the server is told."""
    assert urlsplit(address).path == "/link"
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def approve(person: Person, address: str) -> str:
    """Approve as the page does; answers where the browser goes then."""
    to: str = person.post("device-link-approve", **asked_for(address)).json["redirect_to"]
    return to


def devices(person: Person) -> list[str]:
    return [each["device_name"] for each in person.get("devices").json["devices"]]


@pytest.mark.requirement("SRV-05")
def test_only_the_browser_that_knows_the_state_is_believed(ada: Person, client: Client) -> None:
    seen: list[int] = []

    def browse(address: str) -> None:
        to = approve(ada, address)
        page, _, _ = to.partition("?")
        wrong = (page, f"{page}?code=x", f"{page}?code=x&state=x", f"{page}x?code=x")
        seen.extend(httpx.get(its).status_code for its in wrong)
        answer = httpx.get(to)
        seen.append(answer.status_code)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "code=" not in answer.text

    link = link_by_browser(client, DEVICE, open_page=browse)
    assert seen == [400, 400, 400, 404, 200]
    assert link.server == ada.server.url
    assert devices(ada) == ["tower"]


@pytest.mark.requirement("SRV-05")
def test_the_page_is_told_a_challenge_and_a_loopback_address(ada: Person, client: Client) -> None:
    told: dict[str, str] = {}

    def browse(address: str) -> None:
        told.update(asked_for(address))
        httpx.get(approve(ada, address))

    link_by_browser(client, DEVICE, open_page=browse)
    assert told["code_challenge_method"] == "S256"
    assert len(told["code_challenge"]) == 43
    assert len(told["state"]) >= 43
    assert urlsplit(told["redirect_uri"]).hostname == "127.0.0.1"
    assert (told["device_name"], told["platform"]) == ("tower", "linux")
    assert "k" * 64 not in str(told)


@pytest.mark.requirement("SRV-05")
def test_nobody_is_waited_for_forever(client: Client) -> None:
    with pytest.raises(LinkError, match="nobody answered within 0 minutes"):
        link_by_browser(client, DEVICE, open_page=lambda _: None, patience=0.05)


@pytest.mark.requirement("SRV-05")
@pytest.mark.parametrize("error", ["access_denied", "<script>"])
def test_a_refusal_in_the_browser_ends_it(error: str, client: Client) -> None:
    def browse(address: str) -> None:
        asked = asked_for(address)
        params = {"error": error, "state": asked["state"]}
        assert error not in httpx.get(asked["redirect_uri"], params=params).text

    with pytest.raises(LinkError, match="was not linked"):
        link_by_browser(client, DEVICE, open_page=browse)


@pytest.mark.requirement("SRV-05")
def test_a_browser_that_opens_connections_in_advance_holds_nobody_up(
    ada: Person, client: Client
) -> None:
    import socket

    def browse(address: str) -> None:
        port = urlsplit(asked_for(address)["redirect_uri"]).port
        with socket.create_connection(("127.0.0.1", port)), httpx.Client() as browser:
            assert browser.get(approve(ada, address)).status_code == 200

    assert link_by_browser(client, DEVICE, open_page=browse).device_id


@contextmanager
def losing_an_answer(server: Server) -> Iterator[Client]:
    """A client to whom the first answer of an exchange never comes."""
    lost: list[httpx.Request] = []

    class Losing(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            answer = super().handle_request(request)
            if request.url.path.endswith("exchange") and not lost:
                lost.append(request)
                raise httpx.ReadError("gone")
            return answer

    with httpx.Client(transport=Losing(), headers={"Content-Type": "application/json"}) as http:
        yield Client(server.url, http, timeout=20, now=lambda: 0.0)
    assert lost


@pytest.mark.requirement("SRV-05")
def test_an_answer_that_is_lost_is_asked_for_again_and_is_the_same_device(ada: Person) -> None:
    with losing_an_answer(ada.server) as client:
        link = link_by_browser(
            client, DEVICE, open_page=lambda address: httpx.get(approve(ada, address))
        )
    assert devices(ada) == ["tower"]
    with Client.open(link.server, link.token) as linked:
        assert linked.ping().device_id == link.device_id


@pytest.mark.requirement("SRV-05")
def test_a_shown_code_is_polled_for_until_it_is_approved(ada: Person, client: Client) -> None:
    shown: list[Shown] = []
    hours = Hours(ada.server)
    hours.acts[3] = lambda: ada.post("device-authorize-approve", user_code=shown[0].user_code)
    link = link_by_showing(client, DEVICE, show=shown.append, watch=hours.watch)
    assert hours.slept == [5, 5, 5]
    assert shown[0].verification_uri == f"{ada.server.url}/link"
    assert shown[0].user_code in shown[0].verification_uri_complete
    assert devices(ada) == ["tower"]
    with Client.open(link.server, link.token) as linked:
        assert linked.ping().device_id == link.device_id


@pytest.mark.requirement("SRV-05")
def test_who_is_told_to_slow_down_does(ada: Person, client: Client) -> None:
    shown: list[Shown] = []
    hours = Hours(ada.server)
    hours.acts[2] = lambda: ada.server.set_clock(START.isoformat())  # it came too soon
    hours.acts[4] = lambda: ada.post("device-authorize-approve", user_code=shown[0].user_code)
    link_by_showing(client, DEVICE, show=shown.append, watch=hours.watch)
    assert hours.slept == [5, 5, 10, 10]


@pytest.mark.requirement("SRV-05")
def test_who_is_denied_stops(ada: Person, client: Client) -> None:
    shown: list[Shown] = []
    hours = Hours(ada.server)
    hours.acts[2] = lambda: ada.post("device-authorize-deny", user_code=shown[0].user_code)
    with pytest.raises(LinkError, match="it was refused in the browser"):
        link_by_showing(client, DEVICE, show=shown.append, watch=hours.watch)
    assert hours.slept == [5, 5]
    assert devices(ada) == []


@pytest.mark.requirement("SRV-05")
def test_a_code_that_nobody_approves_ends_in_time(ada: Person, client: Client) -> None:
    hours = Hours(ada.server)
    with pytest.raises(LinkError, match="nobody approved it in time"):
        link_by_showing(client, DEVICE, show=lambda _: None, watch=hours.watch)
    assert 590 <= sum(hours.slept) <= 600


@pytest.mark.requirement("SRV-04", "SRV-05")
def test_whichever_way_it_is_linked_a_computer_is_one_device(ada: Person, client: Client) -> None:
    def browse(address: str) -> None:
        httpx.get(approve(ada, address))

    shown: list[Shown] = []
    hours = Hours(ada.server)
    hours.acts[1] = lambda: ada.post("device-authorize-approve", user_code=shown[0].user_code)
    code = ada.post("link-code-init").json["link_code"]
    links = [
        link_by_browser(client, DEVICE, open_page=browse),
        link_by_code(client, DEVICE, code),
        link_by_showing(client, DEVICE, show=shown.append, watch=hours.watch),
    ]
    assert len({link.device_id for link in links}) == 1
    assert len({link.token for link in links}) == 3
    assert devices(ada) == ["tower"]
