"""Settings: flag over environment over file over default, checked, and remembered."""

from __future__ import annotations

import json
import os
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support import Computer
from witness import watch

from vibescore.errors import ConfigError

DOCUMENTATION = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
RESOLVING = {"pydantic", "pydantic_core", "pydantic_settings"}
SNAPSHOT = "settings.snapshot.json"


def configure(computer: Computer, text: str | bytes) -> Path:
    """The config file with this content."""
    computer.own.mkdir(exist_ok=True)
    path = computer.own / "config.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def shown(computer: Computer, *flags: str, **variables: str) -> dict[str, tuple[Any, str]]:
    """Value and origin of each setting."""
    ran = computer.run(*flags, "config", "--json", **variables)
    assert (ran.code, ran.errors) == (0, "")
    settings = json.loads(ran.output)["settings"]
    return {name: (each["value"], each["origin"]) for name, each in settings.items()}


@pytest.mark.requirement("CLI-07")
def test_without_any_setting_the_defaults_hold(computer: Computer) -> None:
    assert shown(computer) == {
        "debug": (False, "default"),
        "plugins": (None, "default"),
        "trace_plugins": (False, "default"),
        "http_timeout": (20.0, "default"),
        "server": (None, "default"),
        "ca_file": (None, "default"),
        "allow_http": (False, "default"),
    }


@pytest.mark.requirement("CLI-07")
def test_flag_wins_over_environment_over_file_over_default(computer: Computer) -> None:
    configure(computer, 'debug = false\nhttp_timeout = 30\nplugins = ["codex"]\n')
    assert shown(computer)["debug"] == (False, "config file")
    assert shown(computer)["http_timeout"] == (30.0, "config file")
    assert shown(computer)["plugins"] == (["codex"], "config file")
    assert shown(computer)["trace_plugins"] == (False, "default")
    variables = {"VIBESCORE_DEBUG": "0", "VIBESCORE_HTTP_TIMEOUT": "40"}
    assert shown(computer, **variables)["debug"] == (False, "environment")
    assert shown(computer, **variables)["http_timeout"] == (40.0, "environment")
    assert shown(computer, **variables)["plugins"] == (["codex"], "config file")
    assert shown(computer, "--debug", **variables)["debug"] == (True, "flag")


@pytest.mark.requirement("CLI-07")
def test_the_table_shows_each_value_and_its_origin(computer: Computer) -> None:
    configure(computer, 'plugins = ["codex", "gemini"]\n')
    ran = computer.run("config", VIBESCORE_HTTP_TIMEOUT="7")
    rows = {line.split()[0]: line.split() for line in ran.output.splitlines() if line.strip()}
    assert rows["Home:"] == ["Home:", "~/.vibescore"]
    assert rows["http_timeout"] == ["http_timeout", "7.0", "environment"]
    assert rows["plugins"] == ["plugins", "codex,", "gemini", "config", "file"]
    assert rows["debug"] == ["debug", "false", "default"]


@pytest.mark.requirement("CLI-07")
@pytest.mark.parametrize(
    "given, used",
    [("0", 0.0), ("0.2", 1.0), ("1", 1.0), ("20.5", 20.5), ("120", 120.0), ("500", 120.0)],
)
def test_the_timeout_is_off_or_between_1_and_120_seconds(
    given: str, used: float, computer: Computer
) -> None:
    assert shown(computer, VIBESCORE_HTTP_TIMEOUT=given)["http_timeout"] == (used, "environment")
    configure(computer, f"http_timeout = {given}\n")
    assert shown(computer)["http_timeout"] == (used, "config file")


@pytest.mark.requirement("CLI-07")
@pytest.mark.parametrize(
    "text, names",
    [
        ("codex", ["codex"]),
        ("codex,gemini", ["codex", "gemini"]),
        (" codex , gemini, ", ["codex", "gemini"]),
        ("", None),
    ],
)
def test_plugins_are_a_list_with_commas(
    text: str, names: list[str] | None, computer: Computer
) -> None:
    assert shown(computer, VIBESCORE_PLUGINS=text)["plugins"][0] == names
    configure(computer, f'plugins = "{text}"\n')
    assert shown(computer)["plugins"][0] == names


BAD_VALUES = [
    ("http_timeout", "soon"),
    ("http_timeout", "nan"),
    ("debug", "perhaps"),
    ("trace_plugins", "2"),
]


@pytest.mark.requirement("CLI-07", "CLI-05")
@pytest.mark.parametrize("name, value", BAD_VALUES)
def test_a_bad_variable_is_told_by_its_name(name: str, value: str, computer: Computer) -> None:
    variable = f"VIBESCORE_{name.upper()}"
    with pytest.raises(ConfigError) as told:
        shown(computer, **{variable: value})
    assert name in str(told.value)
    assert variable in str(told.value)


@pytest.mark.requirement("CLI-07", "CLI-05")
@pytest.mark.parametrize(
    "name, line",
    [
        *((name, f'{name} = "{value}"') for name, value in BAD_VALUES),
        ("http_timeout", "http_timeout = nan"),
        ("http_timeout", "http_timeout = [1]"),
        ("plugins", "plugins = 5"),
        ("plugins", "plugins = [1, 2]"),
        ("htttp_timeout", "htttp_timeout = 5"),
        ("upload", "[upload]\nhttp_timeout = 5"),
    ],
)
def test_a_bad_value_or_an_unknown_key_is_told_with_its_name_and_its_file(
    name: str, line: str, computer: Computer
) -> None:
    path = configure(computer, line + "\n")
    with pytest.raises(ConfigError) as told:
        shown(computer)
    assert repr(name) in str(told.value)
    assert str(path) in str(told.value)


@pytest.mark.requirement("CLI-07", "CLI-05")
@pytest.mark.parametrize(
    "content", [b"debug = ", b"http_timeout 5\n", b"\xff\xfe\n", b"debug = true\n" * 2]
)
def test_a_file_that_is_no_toml_is_told_in_one_sentence(content: bytes, computer: Computer) -> None:
    path = configure(computer, content)
    ran = computer.program("config")
    assert (ran.code, ran.output) == (1, "")
    assert ran.errors.startswith(f"vibescore: {path} cannot be read")
    assert ran.errors.count("\n") == 1


@pytest.mark.requirement("CLI-07")
def test_a_file_of_a_windows_editor_is_read(computer: Computer) -> None:
    configure(computer, b'\xef\xbb\xbfhttp_timeout = 30\r\nplugins = [\r\n  "codex",\r\n]\r\n')
    assert shown(computer)["http_timeout"] == (30.0, "config file")
    assert shown(computer)["plugins"] == (["codex"], "config file")


def resolves(computer: Computer, **variables: str) -> bool:
    """Whether a sync has to check all settings anew."""
    seen = watch(computer, "sync", "--offline", **variables)
    assert (seen.ran.code, seen.ran.errors) == (0, "")
    return bool(seen.imported & RESOLVING)


@pytest.mark.requirement("CLI-07")
def test_settings_are_resolved_again_only_when_file_or_environment_changed(
    computer: Computer,
) -> None:
    configure(computer, "http_timeout = 30\n")
    assert [resolves(computer) for _ in range(2)] == [True, False]
    configure(computer, "http_timeout = 50\n")
    assert [resolves(computer) for _ in range(2)] == [True, False]
    assert shown(computer)["http_timeout"] == (50.0, "config file")
    other = {"VIBESCORE_HTTP_TIMEOUT": "60"}
    assert [resolves(computer, **other) for _ in range(2)] == [True, False]
    assert shown(computer, **other)["http_timeout"] == (60.0, "environment")
    assert [resolves(computer, **other, LANG="C") for _ in range(1)] == [False]
    (computer.own / "config.toml").unlink()
    assert shown(computer)["http_timeout"] == (20.0, "default")


@pytest.mark.requirement("CLI-07")
def test_where_nothing_is_set_there_is_nothing_to_resolve(computer: Computer) -> None:
    assert [resolves(computer) for _ in range(2)] == [False, False]
    assert [resolves(computer, vibescore_debug="1") for _ in range(2)] == [True, False]


@pytest.mark.requirement("CLI-07")
def test_a_file_without_a_date_is_read(computer: Computer) -> None:
    configure(computer, "http_timeout = 30\n")
    os.utime(computer.own / "config.toml", (0, 0))
    assert shown(computer)["http_timeout"] == (30.0, "config file")


@pytest.mark.requirement("CLI-07")
@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", '{"key": 1}', "\x00"])
def test_a_snapshot_that_makes_no_sense_is_replaced(content: str, computer: Computer) -> None:
    configure(computer, "http_timeout = 30\n")
    before = shown(computer)
    snapshot = computer.own / SNAPSHOT
    good = snapshot.read_text()
    snapshot.write_text(content)
    assert shown(computer) == before
    assert snapshot.read_text() == good


@pytest.mark.requirement("CLI-07")
def test_bad_settings_are_told_again_and_again(computer: Computer) -> None:
    assert shown(computer)["http_timeout"] == (20.0, "default")
    configure(computer, "http_timeout = 'soon'\n")
    for _ in range(2):
        with pytest.raises(ConfigError, match="http_timeout"):
            shown(computer)


@pytest.mark.requirement("CLI-07")
def test_the_home_may_be_named_with_a_tilde(computer: Computer) -> None:
    ran = computer.program("sync", "--offline", VIBESCORE_HOME="~/elsewhere")
    assert ran.code == 0
    assert (computer.home / "elsewhere" / "vibescore.db").exists()
    if sys.platform != "win32":
        assert not computer.own.exists()


def documented() -> list[tuple[str, ...]]:
    """Setting, variable and default, as the documentation tells them."""
    row = r"^\| `(\w+)` \| `(\w+)` \| ([^|]+) \| [^|]{20,} \|$"
    return re.findall(row, DOCUMENTATION.read_text("utf-8"), re.MULTILINE)


@pytest.mark.requirement("CLI-07", "TLS-04")
def test_every_setting_is_documented_with_its_variable_and_its_default(computer: Computer) -> None:
    table = computer.run("config").output.splitlines()
    shown = [re.split(r" {2,}", line.strip())[:2] for line in table if line.endswith("default")]
    assert len(shown) >= 7
    assert documented() == [(name, f"VIBESCORE_{name.upper()}", value) for name, value in shown]


@pytest.mark.requirement("CLI-07", "TLS-04")
def test_the_documented_file_is_understood(computer: Computer) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", DOCUMENTATION.read_text("utf-8"), re.DOTALL)
    configure(computer, example)
    settings = shown(computer).items()
    said = {name: value for name, (value, origin) in settings if origin == "config file"}
    assert said == tomllib.loads(example) != {}
