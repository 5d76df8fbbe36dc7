"""The browser that tests are run in: tests fail on what pages do wrong, and say why they are
skipped.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from chromium import VARIABLE
from tools import program

PROGRAM = Path(__file__).with_name("chromium.py")

TESTS = """
import pytest

SAID = "<script>console.error('said')</script>"
THROWN = "<script>throw Error('thrown')</script>"
FORBIDDEN = '''<meta http-equiv=Content-Security-Policy content="style-src 'none'"><p style=x:y>'''
ELSEWHERE = "<img src=http://example.org/x.png>"


def look(page, html):
    page.goto(f"data:text/html,{html}")


@pytest.mark.parametrize("html", [SAID, THROWN, FORBIDDEN, ELSEWHERE])
def test_wrong(html, page):
    look(page, html)


def test_meant(page, complaints):
    look(page, SAID)
    (complaint,) = complaints
    assert "said" in complaint
    complaints.clear()


def test_right(page, new_page):
    look(page, "right")
    assert new_page().context != page.context
"""


def find(**variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, PROGRAM], env=variables, capture_output=True, text=True, check=False
    )


@pytest.mark.usefixtures("browser_program")
def test_whatever_a_page_complains_about_fails_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    ran = pytester.runpytest("-p", "viewing")
    ran.assert_outcomes(passed=6, errors=4)
    ran.stdout.fnmatch_lines(
        ["said (*", "thrown (*", "*Content Security Policy*", "*(http://example.org/x.png)"]
    )


def test_where_there_is_no_browser_the_summary_says_so(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "/nowhere/chrome")
    pytester.makepyfile("def test_it(page): ...")
    ran = pytester.runpytest("-p", "viewing", "-rs")
    ran.assert_outcomes(skipped=1)
    ran.stdout.fnmatch_lines(["SKIPPED*: no browser: CHROME_PATH is /nowhere/chrome, which is*"])


def test_a_browser_is_found_on_the_path_or_where_the_variable_says(tmp_path: Path) -> None:
    for name in ("own", "google-chrome", "chromium"):
        program(tmp_path / name, "")
        own = {VARIABLE: str(tmp_path / "own")}
        assert find(PATH=str(tmp_path), **own).stdout.strip() == str(tmp_path / "own")
    assert find(PATH=str(tmp_path)).stdout.strip() == str(tmp_path / "chromium")


@pytest.mark.skipif(sys.platform == "darwin", reason="Chrome is also found off the path there")
def test_whoever_lacks_a_browser_learns_how_to_get_one(tmp_path: Path) -> None:
    found = find(PATH=str(tmp_path))
    assert (found.returncode, found.stdout) == (1, "")
    assert "no browser: install Chromium or Chrome" in found.stderr
    assert VARIABLE in found.stderr
