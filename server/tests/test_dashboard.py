"""The dashboard as the server sends it, and the plain pages beside it and in its place."""

import gzip
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from zipfile import ZipFile

import httpx
import pytest
from browsing import Page
from distributions import ROOT, UV
from raw_http import Answer, head, send
from serving import PASSWORD, PATIENCE, Server, serving

BUILT = ROOT / "server/vibescore_server/static"
needs_dashboard = pytest.mark.skipif(
    not BUILT.is_dir(), reason="no dashboard: python3 dev.py setup says why it was not built"
)

SHELL_PATHS = (
    *("/", "/sign-in", "/sign-up", "/link"),
    *("/dashboard", "/leaderboard", "/devices", "/settings"),
)
PLAIN_POLICY = "default-src 'none'; style-src 'self';"
MEDIA = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
ENDINGS = {"br": ".br", "gzip": ".gz", None: ""}
NO_REGISTRY = {"npm_config_registry": "http://127.0.0.1:9/"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as it is installed; which database it has does not matter here."""
    with serving(tmp_path_factory.mktemp("server")) as server:
        yield server


def ask(server: Server, path: str, method: str = "GET", **headers: str) -> Answer:
    """A request with no more headers than these."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return send(server, head(*lines, "Connection: close", path=path, method=method))


def script(server: Server) -> str:
    """The path of the script that the shell begins with."""
    (found,) = re.findall(r'<script type="module"[^>]* src="(/assets/[^"]+)"', text(server, "/"))
    return str(found)


def text(server: Server, path: str) -> str:
    return ask(server, path).body.decode()


def built(path: str) -> Path:
    return BUILT / path.removeprefix("/")


@needs_dashboard
@pytest.mark.requirement("DSH-01", "SRV-20")
@pytest.mark.parametrize("path", [*SHELL_PATHS, "/sign-in?next=/devices", "/link?user_code=AAAA"])
def test_every_address_of_the_dashboard_answers_with_its_page(server: Server, path: str) -> None:
    answer = ask(server, path)

    assert (answer.status, answer.body) == (200, built("index.html").read_bytes())
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@needs_dashboard
@pytest.mark.requirement("SRV-20")
def test_the_page_may_run_and_load_only_what_this_server_sends(server: Server) -> None:
    policy = dict(
        each.strip().split(" ", 1)
        for each in ask(server, "/").headers["content-security-policy"].split(";")
    )

    assert policy.pop("default-src") == "'none'"
    assert {policy.pop(name) for name in ("base-uri", "form-action", "frame-ancestors")} == {
        "'none'"
    }
    assert policy.keys() == {
        f"{kind}-src" for kind in ("connect", "font", "img", "manifest", "script", "style")
    }
    assert set(policy.values()) == {"'self'"}


@needs_dashboard
def test_every_file_that_was_built_is_sent_as_what_it_is(server: Server) -> None:
    files = [path for path in BUILT.rglob("[!.]*") if path.suffix not in (".br", ".gz")]
    paths = [path for path in files if path.is_file() and path.name != "index.html"]
    assert paths
    for path in paths:
        place = f"/{path.relative_to(BUILT).as_posix()}"
        answer = ask(server, place)
        assert (answer.status, answer.body) == (200, path.read_bytes()), place
        assert answer.headers["content-type"] == MEDIA[path.suffix], place
        hashed = place.startswith("/assets/")
        assert answer.headers["cache-control"] == (
            "public, max-age=31536000, immutable" if hashed else "public, max-age=3600"
        )


@needs_dashboard
@pytest.mark.parametrize(
    "accepted, coding",
    [
        ("gzip, deflate, br, zstd", "br"),
        ("br", "br"),
        ("GZIP", "gzip"),
        ("gzip, identity", "gzip"),
        ("deflate", None),
        ("", None),
        ("*", "br"),
        ("br;q=0, *", "gzip"),
        ("br;q=0.2, gzip;q=0.8", "gzip"),
        ("br; q=0.5 , gzip ;q=0.500", "br"),
        ("gzip;q=0.5, identity", None),
        ("gzip;q=0.001", "gzip"),
        ("br;q=0, gzip;q=0.0", None),
        ("*;q=0", None),
        ("identity;q=0", None),
        ("br;q=much, gzip;q=2", None),
        (";,=;q", None),
    ],
)
def test_a_client_gets_the_coding_it_likes_best(
    server: Server, accepted: str, coding: str | None
) -> None:
    for path, file in ((script(server), built(script(server))), ("/", built("index.html"))):
        answer = ask(server, path, Accept_Encoding=accepted)

        assert answer.headers.get("content-encoding") == coding
        assert answer.body == file.with_name(file.name + ENDINGS[coding]).read_bytes()
        assert answer.headers["vary"] == "Accept-Encoding"


@needs_dashboard
def test_without_a_wish_nothing_is_compressed(server: Server) -> None:
    assert "content-encoding" not in ask(server, "/").headers
    several = send(server, head("Accept-Encoding: deflate", "Accept-Encoding: br", path="/"))
    assert several.headers["content-encoding"] == "br"


@needs_dashboard
def test_what_a_client_has_is_not_sent_again(server: Server) -> None:
    for path in ("/", script(server)):
        first = ask(server, path, Accept_Encoding="br")
        tag = first.headers["etag"]
        assert tag.startswith('"')
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = ask(server, path, Accept_Encoding="br", If_None_Match=known)
            assert (again.status, again.body) == (304, b"")
            for name in ("etag", "vary", "cache-control", "content-security-policy"):
                assert again.headers[name] == first.headers[name]
            assert "content-type" not in again.headers
        for other in ('"other"', tag.strip('"'), ""):
            answer = ask(server, path, Accept_Encoding="br", If_None_Match=other)
            assert (answer.status, answer.body) == (200, first.body)


@needs_dashboard
def test_each_coding_has_a_tag_of_its_own(server: Server) -> None:
    forms = [ask(server, script(server), Accept_Encoding=each) for each in ("br", "gzip", "")]
    tags = [form.headers["etag"] for form in forms]
    crossed = ask(server, script(server), Accept_Encoding="gzip", If_None_Match=tags[0])

    assert len(set(tags)) == 3
    assert (crossed.status, crossed.body) == (200, forms[1].body)


@needs_dashboard
def test_head_answers_as_get_does_without_the_body(server: Server) -> None:
    for path in ("/", "/settings", script(server)):
        full = ask(server, path, Accept_Encoding="gzip")
        bare = ask(server, path, "HEAD", Accept_Encoding="gzip")
        assert (bare.status, bare.body) == (200, b"")
        for each in (full, bare):
            del each.headers["x-request-id"]
        assert bare.headers == full.headers


@needs_dashboard
@pytest.mark.requirement("SRV-20", "SRV-21")
@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/index.html",
        "/index.html.br",
        "/.made-from",
        "/assets",
        "/assets/",
        "/assets/none.js",
        "/assets/../index.html",
        "/assets/..%2f..%2fsettings.py",
        "/assets/%2e%2e/.made-from",
        "/assets//etc/passwd",
        "/static/index.html",
        "/dashboard/more",
    ],
)
def test_nothing_but_those_files_can_be_had(server: Server, path: str) -> None:
    answer = ask(server, path)

    assert answer.status == 404
    assert answer.json["error"] == "NOT_FOUND"
    compressed = ask(server, f"{script(server)}.br")
    assert (compressed.status, compressed.json["error"]) == (404, "NOT_FOUND")


@needs_dashboard
@pytest.mark.requirement("SRV-21")
def test_an_error_where_people_are_is_a_page(server: Server) -> None:
    answer = ask(server, "/dashboard", "POST")

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert "Method Not Allowed" in answer.body.decode()


@needs_dashboard
def test_caches_keep_codings_and_origins_apart(tmp_path: Path) -> None:
    with serving(tmp_path, allowed_origins="https://app.example.org") as server:
        answer = server.get("/")

        varies = {name.strip() for name in answer.headers["vary"].split(",")}
        assert varies == {"Accept-Encoding", "Origin"}


ADDRESSED = ("og:url", "og:image", "twitter:image", "canonical")
"""What in the shell says where it is."""


def addresses(page: Page) -> dict[str, str]:
    """Those, and what they say."""
    named = {
        values.get("property") or values.get("name") or values.get("rel", ""): values
        for tag, values in page.elements
        if tag in ("meta", "link")
    }
    found = {name: named[name] for name in ADDRESSED}
    return {name: values.get("content") or values["href"] for name, values in found.items()}


def shell(server: Server) -> Page:
    return Page(httpx.get(f"{server.url}/", timeout=PATIENCE))


@needs_dashboard
@pytest.mark.requirement("DSH-16")
def test_the_first_answer_says_where_the_page_is(server: Server, tmp_path: Path) -> None:
    usual = addresses(shell(server))
    with serving(tmp_path, public_url="https://usage.example.org/a&b/") as ours:
        here = addresses(shell(ours))

    origin = "https://www.vibescore.space"
    assert usual["og:url"].rstrip("/") == usual["canonical"].rstrip("/") == origin
    for name, place in usual.items():
        assert place.startswith(origin)
        assert here[name] == "https://usage.example.org/a&b" + place.removeprefix(origin)


@needs_dashboard
@pytest.mark.requirement("DSH-16")
def test_nothing_else_of_the_page_depends_on_where_it_is(tmp_path: Path) -> None:
    usual = built("index.html").read_text("utf-8")
    with serving(tmp_path, public_url="https://usage.example.org") as ours:
        forms = [ask(ours, "/", Accept_Encoding=each) for each in ("br, gzip", "")]
        moved = forms[1].body.decode()
        scripts = ask(ours, script(ours), Accept_Encoding="br")

    assert forms[0].headers["content-encoding"] == "gzip"
    assert gzip.decompress(forms[0].body) == forms[1].body
    assert forms[0].headers["etag"] != forms[1].headers["etag"]
    assert scripts.headers["content-encoding"] == "br"
    assert moved != usual
    assert lines_without_addresses(moved) == lines_without_addresses(usual)


def lines_without_addresses(page: str) -> list[str]:
    return [
        line for line in page.splitlines() if not any(f'"{name}"' in line for name in ADDRESSED)
    ]


@needs_dashboard
@pytest.mark.requirement("SRV-05", "SRV-17")
def test_without_script_the_page_leads_to_pages_that_need_none(server: Server) -> None:
    (hint,) = re.findall(r"<noscript>(.*?)</noscript>", text(server, "/"), re.DOTALL)
    (entry,) = re.findall(r'href="([^"]+)"', hint)
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
        form = follow(client, entry)
        sign_up = follow(client, next(each for each in form.links if "sign-up" in each))
        typed = {"email": "plain@example.org", "password": PASSWORD}
        home = follow(client, sent(client, sign_up, "/sign-up", **typed).headers["Location"])
        assert "Signed in as plain@example.org" in home.text
        code = follow(client, next(each for each in home.links if "link" in each))
        wrong = sent(client, code, "/link", user_code="AAAA-AAAA")
        assert (wrong.status, "The code is unknown" in wrong.text) == (400, True)
        left = follow(client, sent(client, wrong, "/sign-out").headers["Location"])
        assert "Signed in" not in left.text
        assert any("sign-in" in each for each in left.links)


def follow(client: httpx.Client, place: str) -> Page:
    """A page as a browser without script sees it."""
    page = Page(client.get(place))
    assert page.status == 200
    assert page.headers["content-security-policy"].startswith(PLAIN_POLICY)
    return page


def sent(client: httpx.Client, page: Page, action: str, **typed: str) -> Page:
    """The answer to a form of a page, filled in."""
    form = page.form(action)
    fields = form.fields | typed
    if form.method == "get":
        return Page(client.get(action, params=fields))
    return Page(client.post(action, data=fields))


@needs_dashboard
@pytest.mark.requirement("SRV-05", "SRV-17")
def test_every_link_of_a_plain_page_leads_to_another(server: Server) -> None:
    seen: set[str] = set()
    waiting = {f"{path}?plain=1" for path in ("/", "/sign-in", "/sign-up")}
    with httpx.Client(base_url=server.url, timeout=PATIENCE, follow_redirects=True) as client:
        while waiting:
            place = waiting.pop()
            seen.add(place)
            waiting |= set(follow(client, place).links) - seen - {"/"}

    assert {urlsplit(place).path for place in seen} == {"/", "/sign-in", "/sign-up"}


@pytest.mark.requirement("SRV-17")
def test_an_operator_can_do_without_the_dashboard(tmp_path: Path) -> None:
    with serving(tmp_path, dashboard="false") as server:
        for path in ("/", "/sign-in", "/sign-up"):
            page = server.get(path)
            assert page.headers["content-security-policy"].startswith(PLAIN_POLICY)
            assert "dashboard" not in page.text
        assert server.get("/link").headers["Location"].startswith("/sign-in?")
        for path in ("/dashboard", "/assets/main.js", "/favicon.svg"):
            assert server.get(path).status == 404


class Checkout:
    """A copy of what the server's package is built from, with nothing built yet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ignored = shutil.ignore_patterns("__pycache__", "dist", "node_modules", "static", "tests")
        for name in ("dashboard", "server"):
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)

    @property
    def static(self) -> Path:
        return self.folder / "server/vibescore_server/static"

    def take_over(self) -> None:
        """What was built in the real one."""
        shutil.copytree(BUILT, self.static)

    def wheel(self, **variables: str) -> Path:
        return build("--wheel", self.folder / "server", self.folder / "dist", **variables)


def build(kind: str, source: Path, into: Path, **variables: str) -> Path:
    """A distribution, built with the packages that are installed here."""
    done = try_to_build(kind, source, into, **variables)
    assert done.returncode == 0, done.stderr
    (built_file,) = into.glob("vibescore_server-*")
    return built_file


def try_to_build(
    kind: str, source: Path, into: Path, **variables: str
) -> subprocess.CompletedProcess[str]:
    usual = {name: os.environ[name] for name in os.environ if "VIBESCORE" not in name}
    told = (kind, "--no-build-isolation", "--python", sys.executable)
    return subprocess.run(
        [UV, "build", *told, "--out-dir", into, source],
        env={**usual, "npm_config_cache": str(into / "npm"), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def dashboard_in(wheel: Path) -> dict[str, bytes]:
    """The files of the dashboard in a wheel, by path."""
    place = "vibescore_server/static/"
    with ZipFile(wheel) as files:
        names = [name for name in files.namelist() if name.startswith(place)]
        return {name.removeprefix(place): files.read(name) for name in names}


def files_in(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "checkout")


@pytest.fixture
def installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Path], Server]]:
    """Installs a wheel of the server where Python looks first, and starts it."""
    site = tmp_path / "site"
    with ExitStack() as stack:

        def start(wheel: Path) -> Server:
            told = ("--quiet", "--offline", "--no-deps", "--python", sys.executable)
            subprocess.run([UV, "pip", "install", *told, "--target", site, wheel], check=True)
            monkeypatch.setenv("PYTHONPATH", str(site))
            return stack.enter_context(serving(tmp_path / "server"))

        yield start


@pytest.mark.requirement("CLI-02")
@pytest.mark.parametrize("variables", [{"VIBESCORE_SKIP_DASHBOARD": "1"}, NO_REGISTRY], ids=str)
def test_a_server_without_its_dashboard_installs_and_says_how_to_get_it(
    checkout: Checkout, installed: Callable[[Path], Server], variables: Mapping[str, str]
) -> None:
    wheel = checkout.wheel(**variables)
    server = installed(wheel)

    assert dashboard_in(wheel) == {}
    assert not checkout.static.exists()
    page = server.get("/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "The dashboard was not built" in page.text
    assert "python3 dev.py setup" in page.text
    assert "Sign in" in page.text
    assert server.get("/dashboard").status == 404


@needs_dashboard
@pytest.mark.requirement("CLI-02", "DSH-16")
def test_a_source_distribution_brings_the_dashboard_and_needs_no_npm(
    tmp_path: Path, installed: Callable[[Path], Server]
) -> None:
    sdist = build("--sdist", ROOT / "server", tmp_path / "sdist", **NO_REGISTRY)
    wheel = build("--wheel", sdist, tmp_path / "wheel", **NO_REGISTRY)
    server = installed(wheel)

    assert dashboard_in(wheel) == files_in(BUILT)
    assert ask(server, "/").body == built("index.html").read_bytes()
    with tarfile.open(sdist) as files:
        assert not [name for name in files.getnames() if "node_modules" in name]


@needs_dashboard
@pytest.mark.requirement("CLI-02")
def test_what_was_built_from_the_same_sources_is_used_again(checkout: Checkout) -> None:
    checkout.take_over()

    assert dashboard_in(checkout.wheel(**NO_REGISTRY)) == files_in(BUILT)
    assert not (checkout.folder / "dashboard/node_modules").exists()


@needs_dashboard
@pytest.mark.requirement("CLI-02")
def test_a_wheel_that_is_to_have_no_dashboard_has_none(checkout: Checkout) -> None:
    checkout.take_over()

    assert dashboard_in(checkout.wheel(VIBESCORE_SKIP_DASHBOARD="1")) == {}
    assert files_in(checkout.static) == files_in(BUILT)


@needs_dashboard
@pytest.mark.requirement("CLI-02")
def test_a_build_that_fails_leaves_no_old_dashboard_behind(checkout: Checkout) -> None:
    checkout.take_over()
    with (checkout.folder / "dashboard/src/main.tsx").open("a") as changed:
        changed.write("// changed\n")

    assert dashboard_in(checkout.wheel(**NO_REGISTRY)) == {}
    assert list(checkout.static.parent.glob("static*/")) == []


@pytest.mark.requirement("CLI-02")
@pytest.mark.parametrize("release", [False, True])
def test_a_build_without_npm_says_so_and_only_a_release_fails(
    checkout: Checkout, tmp_path: Path, *, release: bool
) -> None:
    variables = {**NO_REGISTRY, **({"VIBESCORE_RELEASE": "1"} if release else {})}
    done = try_to_build("--wheel", checkout.folder / "server", tmp_path / "dist", **variables)

    assert "The dashboard is not built: npm ci failed" in done.stderr
    assert "VIBESCORE_SKIP_DASHBOARD=1" in done.stderr
    assert (done.returncode != 0) == release
    assert len(list((tmp_path / "dist").glob("*.whl"))) == (0 if release else 1)
