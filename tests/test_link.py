"""The link to a server: kept for its owner's eyes alone, and a token goes to its own server only
(QUE-08).
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from vibescore.errors import ConfigError
from vibescore.link import FILE, Link, forget_link, load_link, save_link

LINK = Link("https://vibescore.test", "device-1", "secret-token")
TOKEN = {"VIBESCORE_DEVICE_TOKEN": "other-token"}


def load(home: Path, server: str | None = None, **variables: str) -> Link | None:
    return load_link(home, variables, server=server)


@pytest.mark.requirement("QUE-08")
def test_a_link_is_kept_replaced_and_forgotten(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    for link in (LINK, Link("http://127.0.0.1:8390", "device-2", "t")):
        save_link(tmp_path, link)
        assert load(tmp_path) == link
    forget_link(tmp_path)
    forget_link(tmp_path)
    assert load(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.requirement("QUE-08")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_it_is_its_owners_alone_from_the_first_byte_and_holds_nothing_else(
    umask: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    write = os.fsync

    def watch(handle: int) -> None:
        modes.append(stat.S_IMODE(os.fstat(handle).st_mode))
        write(handle)

    monkeypatch.setattr(os, "fsync", watch)
    (tmp_path / FILE).write_text("{}")
    (tmp_path / FILE).chmod(0o644)
    before = os.umask(umask)
    try:
        save_link(tmp_path, LINK)
    finally:
        os.umask(before)
    assert [*modes, stat.S_IMODE((tmp_path / FILE).stat().st_mode)] == [0o600, 0o600]
    assert json.loads((tmp_path / FILE).read_text()) == {
        "server": "https://vibescore.test",
        "device_id": "device-1",
        "token": "secret-token",
    }


@pytest.mark.requirement("QUE-08", "QUE-10")
def test_a_token_in_the_environment_wins_and_goes_to_the_server_of_the_settings(
    tmp_path: Path,
) -> None:
    save_link(tmp_path, LINK)
    assert load(tmp_path, **TOKEN) == Link(LINK.server, "", "other-token")
    elsewhere = load(tmp_path, "https://else.test/", **TOKEN)
    assert elsewhere == Link("https://else.test", "", "other-token")
    same = {"VIBESCORE_DEVICE_TOKEN": "secret-token"}
    assert load(tmp_path, **same) == load(tmp_path, LINK.server, **same) == LINK


@pytest.mark.requirement("QUE-10")
def test_a_kept_token_goes_to_no_other_server(tmp_path: Path) -> None:
    save_link(tmp_path, LINK)
    assert load(tmp_path, "https://else.test") == LINK


@pytest.mark.requirement("QUE-08", "CLI-05")
def test_a_token_without_a_server_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="VIBESCORE_SERVER names the server"):
        load(tmp_path, **TOKEN)


BROKEN = ["", "{", "[]", "{}", '{"server": "s", "device_id": 1, "token": "secret-token"}']


@pytest.mark.requirement("QUE-08", "CLI-05")
@pytest.mark.parametrize("text", BROKEN)
def test_a_file_that_is_no_link_is_told_without_quoting_it(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigError, match="'vibescore init' links this computer again") as told:
        load(tmp_path)
    assert "secret" not in str(told.value)
    assert load(tmp_path, "https://else.test", **TOKEN) is not None


@pytest.mark.requirement("QUE-08", "CLI-05")
def test_a_home_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert load(tmp_path / "missing") is None
    with pytest.raises(ConfigError, match="cannot be written"):
        save_link(tmp_path / "missing", LINK)


@pytest.mark.requirement("QUE-08")
def test_different_servers_devices_and_tokens_are_different_links() -> None:
    others = [LINK._replace(server="https://else.test"), LINK._replace(device_id="device-2")]
    unnamed = [LINK._replace(device_id=""), LINK._replace(device_id="", token="other")]
    assert len({link.key for link in (LINK, *others, *unnamed)}) == 5
    assert LINK._replace(token="renewed").key == LINK.key
