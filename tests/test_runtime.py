"""What tools call has to be there tomorrow: a throw-away environment leaves another."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributions import Installation, build_ours, uv
from rollouts import Rollout, append, truth_of, write
from serving import Server, serving
from support import Computer
from tools import Family, Tools

from vibescore.runtime import MARK, Runtime, is_throwaway


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture(scope="module")
def throwaway(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """What `uvx` makes: an environment in a temporary folder, here from wheels."""
    folder = tmp_path_factory.mktemp("throwaway")
    build_ours(folder / "wheels")
    made = Installation.fresh(folder / "environment", folder / "wheels")
    wheels = [
        path
        for name in ("vibescore", "vibescore_codex")
        for path in made.wheels.glob(f"{name}-*.whl")
    ]
    options = ("--no-deps", "--reinstall", "--offline", "--python", made.python)
    uv("pip", "install", *options, *wheels)
    return made


@pytest.mark.requirement("CLI-04")
@pytest.mark.parametrize(
    "prefix, expected",
    [
        ("/home/ada/.cache/uv/archive-v0/x3Fq", True),
        ("/home/ada/.cache/uv/builds-v0/.tmpQ/x", True),
        ("/home/ada/Library/Caches/uv/archive-v0/x3Fq", True),
        ("/home/ada/.local/share/pipx/.cache/5a3c", True),
        ("/var/tmp/env", True),
        ("/tmp/env", True),
        ("/big/uv-cache/archive-v0/x", True),
        ("/home/ada/.local/share/pipx/venvs/vibescore", False),
        ("/home/ada/.local/share/uv/tools/vibescore", False),
        ("/home/ada/project/.venv", False),
        ("/usr", False),
    ],
)
def test_a_throw_away_environment_is_known_by_its_place(prefix: str, *, expected: bool) -> None:
    variables = {"UV_CACHE_DIR": "/big/uv-cache"}
    assert is_throwaway(Path(prefix), variables, temporary=["/tmp", "/var/tmp"]) is expected


@pytest.mark.requirement("CLI-04")
def test_a_folder_that_is_marked_as_a_cache_is_one(tmp_path: Path) -> None:
    write(tmp_path / "cache" / MARK, b"Signature: 8a477f597d28d172789f06886806bc55")
    assert is_throwaway(tmp_path / "cache/archive/environment", {})
    assert not is_throwaway(tmp_path / "cache", {})  # environments are marked themselves


@pytest.mark.requirement("CLI-04", "NTF-04")
def test_the_entries_work_when_the_environment_is_gone(
    throwaway: Installation, server: Server, computer: Computer
) -> None:
    log = Rollout(1).meta().model("gpt-5.1").turns(2)
    path = log.save(computer.home)
    config = write(computer.home / ".codex/config.toml", b"")
    person = server.sign_up()
    code = person.post("link-code-init").json["link_code"]
    ephemeral = throwaway.on(computer)
    ran = ephemeral.program("init", "--yes", "--server", server.url, "--link-code", code)
    assert ran.code == 0, ran
    assert "Installing vibescore in ~/.vibescore/runtime" in ran.output
    again = ephemeral.program("init", "--yes", "--server", server.url)
    assert again.code == 0, again
    assert "Installing" not in again.output

    gone = throwaway.folder.rename(throwaway.folder.with_name("gone"))
    try:
        append(path, log.turns(1).unsaved())
        notify = tomllib.loads(config.read_text())["notify"]
        family = Family()
        assert family.run(*notify, json.dumps({}), environment=computer.environment) == (0, "", "")
        family.wait()
        assert computer.export() == truth_of(log)
    finally:
        gone.rename(throwaway.folder)
    assert ephemeral.program("uninstall", "--yes").code == 0
    assert not (computer.own / "runtime").exists()


@pytest.mark.requirement("CLI-04")
def test_without_a_lasting_runtime_nothing_is_linked_or_changed(
    throwaway: Installation, server: Server, computer: Computer
) -> None:
    tools = Tools(computer)
    tools.config("codex", "# mine\n")
    person = server.sign_up()
    code = person.post("link-code-init").json["link_code"]
    words = ("init", "--yes", "--server", server.url, "--link-code", code)
    ran = throwaway.on(computer).program(*words, UV="/gone/uv")
    assert ran.code == 1
    assert "pipx install 'vibescore[all]'" in ran.errors
    assert f"-m venv {computer.own}/runtime" in ran.errors
    assert tools.config("codex").read_text() == "# mine\n"
    assert not (computer.own / "runtime").exists()
    assert not (computer.own / "link.json").exists()
    assert person.get("devices").json["devices"] == []


@pytest.mark.requirement("CLI-04")
def test_a_runtime_is_like_the_environment_that_makes_it(
    throwaway: Installation, tmp_path: Path
) -> None:
    program = (
        "from pathlib import Path; from vibescore.runtime import Runtime;"
        " print(*Runtime.like_here(Path('/x')).requirements, sep='\\n')"
    )
    told = subprocess.check_output([throwaway.python, "-P", "-c", program], cwd=tmp_path, text=True)
    names = [line.partition(" @ ")[0] for line in told.splitlines()]
    assert names == ["vibescore", "vibescore-codex"]
    assert told.count(".whl") == 2
    assert not Runtime(tmp_path, names).is_current
