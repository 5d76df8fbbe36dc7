"""Completion in the three shells."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from support import PROGRAM, Computer

SHELLS = ("bash", "zsh", "fish")


@pytest.mark.requirement("CLI-11")
@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_completes_vibescore_and_the_shell_accepts_it(
    shell: str, computer: Computer
) -> None:
    ran = computer.program("completion", shell)
    assert (ran.code, ran.errors) == (0, "")
    assert "_vibescore_completion" in ran.output
    assert f"_VIBESCORE_COMPLETE={shell}_complete" in ran.output
    if shutil.which(shell) is None:
        pytest.skip(f"the text is checked; {shell} is not here to read it")
    script = computer.home / "script"
    script.write_text(ran.output)
    subprocess.run([shell, "-n", script], check=True)


@pytest.mark.requirement("CLI-11")
@pytest.mark.parametrize(
    "typed, completed",
    [
        (("vibescore", "sy"), {"sync"}),
        (("vibescore", "sync", "--o"), {"--offline"}),
        (("vibescore", "report", "d"), {"daily"}),
        (("vibescore", "completion", ""), set(SHELLS)),
        (("vibescore", "export", "--format", ""), {"jsonl", "csv"}),
    ],
    ids=lambda typed: " ".join(typed) if isinstance(typed, tuple) else "",
)
def test_bash_completes_commands_options_and_values(
    typed: tuple[str, ...], completed: set[str], computer: Computer
) -> None:
    words = " ".join(f"'{word}'" for word in typed)
    script = (
        'eval "$(vibescore completion bash)"\n'
        f"COMP_WORDS=({words}) COMP_CWORD={len(typed) - 1}\n"
        "_vibescore_completion vibescore\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "-c", script],
        env=computer.environment | {"PATH": f"{PROGRAM.parent}:/usr/bin:/bin"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert set(done.stdout.split()) == completed
