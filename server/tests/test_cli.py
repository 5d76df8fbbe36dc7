"""Accounts from the command line, and what everybody sees of commands (SRV-17)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from serving import NOW, PASSWORD, Person, Response, Server, postgresql_database

from vibescore_server.db import open_database
from vibescore_server.migrations import migrate
from vibescore_server.queries.accounts import UserRow, add_user
from vibescore_server.settings import load_settings

Starter = Callable[..., Server]


def sign_in(server: Server, email: str, password: str) -> Response:
    return server.post("/api/auth/sessions", json={"email": email, "password": password})


def role(server: Server, email: str) -> str:
    """What ``user list`` says of somebody."""
    told = server.command("user", "list")
    assert told.returncode == 0, told.stderr
    line = next(line for line in told.stdout.splitlines() if line.startswith(email))
    return line.split()[-2]


@pytest.mark.requirement("SRV-17")
def test_a_user_is_created_with_a_password_from_standard_input(fresh_server: Starter) -> None:
    server = fresh_server(sign_up="false")
    create = ("user", "create", "Ada@Example.org", "--name", "Ada", "--password-stdin")
    done = server.command(*create, stdin=PASSWORD + "\n")
    assert (done.returncode, done.stdout) == (0, "Created ada@example.org (admin).\n")

    user = sign_in(server, "ada@example.org", PASSWORD).json["user"]
    assert (user["name"], user["role"], user["createdAt"]) == ("Ada", "admin", NOW)
    again = server.command(*create, stdin=PASSWORD + "\n")
    assert (again.returncode, again.stdout) == (1, "")
    assert "There is a user Ada@Example.org already" in again.stderr


@pytest.mark.requirement("SRV-17")
def test_a_password_nobody_gave_is_made_and_shown_once(fresh_server: Starter) -> None:
    server = fresh_server()
    server.sign_up()
    done = server.command("user", "create", "ben@example.org")
    first, second = done.stdout.splitlines()
    assert first == "Created ben@example.org (user)."
    password = second.removeprefix("Password (shown only now): ")
    assert len(password) >= 40
    assert sign_in(server, "ben@example.org", password).json["user"]["role"] == "user"
    assert password not in server.command("user", "list").stdout


@pytest.mark.requirement("SRV-17")
def test_only_a_first_user_is_created_where_that_is_asked_for(fresh_server: Starter) -> None:
    server = fresh_server(sign_up="false")
    create = ("user", "create", "--first")
    first = server.command(*create, "ada@example.org")
    assert first.stdout.startswith("Created ada@example.org (admin).\n")
    for email in ("ada@example.org", "ben@example.org"):
        again = server.command(*create, email)
        assert (again.returncode, again.stdout) == (0, "")
        assert again.stderr == "There is a user already, so none was created.\n"
    assert len(server.command("user", "list").stdout.splitlines()) == 2


@pytest.mark.requirement("SRV-17")
def test_administrators_are_named_and_unnamed(fresh_server: Starter) -> None:
    server = fresh_server()
    first, second = server.sign_up(), server.sign_up()
    assert (role(server, first.email), role(server, second.email)) == ("admin", "user")

    assert server.command("user", "set-admin", second.email.upper()).returncode == 0
    assert role(server, second.email) == "admin"
    assert second.post("leaderboard-refresh").status == 200
    assert server.command("user", "set-admin", first.email, "--remove").returncode == 0
    assert first.post("leaderboard-refresh").status == 403
    done = server.command("user", "create", "cyn@example.org", "--admin")
    assert done.stdout.startswith("Created cyn@example.org (admin).")
    assert role(server, "cyn@example.org") == "admin"


@pytest.mark.requirement("SRV-17")
def test_a_new_password_ends_every_session_and_no_device(fresh_server: Starter) -> None:
    server = fresh_server()
    person, other = server.sign_up(), server.sign_up()
    machine = person.link()
    sessions = [sign_in(server, each.email, PASSWORD) for each in (person, other)]

    done = server.command(
        "user", "reset-password", person.email, "--password-stdin", stdin="a new one"
    )
    assert done.returncode == 0, done.stderr
    assert "a new one" not in done.stdout
    assert sign_in(server, person.email, PASSWORD).status == 401
    assert sign_in(server, person.email, "a new one").status == 200
    assert [refreshed(server, session) for session in sessions] == [401, 200]
    assert machine.send().status == 200


def refreshed(server: Server, session: Response) -> int:
    """What a session gets for its cookie."""
    cookie = session.headers["set-cookie"].split(";")[0]
    headers = {"Cookie": cookie, "X-CSRF-Token": session.json["csrfToken"]}
    return server.post("/api/auth/refresh", headers=headers).status


@pytest.mark.requirement("SRV-17")
@pytest.mark.parametrize(
    "arguments, stdin, said",
    [
        (("user", "create", "nobody"), "", "EMAIL cannot be used"),
        (("user", "create", "a@b.c", "--name", " "), "", "--name cannot be used"),
        (("user", "create", "a@b.c", "--password-stdin"), "short\n", "The password cannot be used"),
        (("user", "set-admin", "a@b.c"), "", "There is no user a@b.c"),
        (("user", "reset-password", "a@b.c"), "", "There is no user a@b.c"),
        (("user", "link-code", "a@b.c"), "", "There is no user a@b.c"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_an_exit_code(
    server: Server, arguments: tuple[str, ...], stdin: str, said: str
) -> None:
    done = server.command(*arguments, stdin=stdin)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.requirement("SRV-17")
@pytest.mark.parametrize(
    "command",
    [
        *("run", "migrate", "jobs", "jobs run", "jobs list"),
        *("user", "user create", "user list", "user set-admin", "user reset-password"),
        "user link-code",
    ],
)
def test_every_command_shows_an_example(shared_server: Server, command: str) -> None:
    told = shared_server.command(*command.split(), "--help")
    assert told.returncode == 0
    assert f"vibescore-server {command}" in told.stdout.partition("Example")[2]


@pytest.mark.requirement("SRV-17")
def test_a_database_that_is_away_is_one_sentence(server: Server) -> None:
    env = {**server.env, "VIBESCORE_SERVER_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    server_elsewhere = Server(
        server.url, server.clock, server.process, server.log, "", server.data_dir, env
    )
    done = server_elsewhere.command("user", "list")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The database cannot be used: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.requirement("SRV-17")
def test_who_signs_up_waits_for_whoever_is_just_doing_so(postgresql: str) -> None:
    """PostgreSQL lets both begin; SQLite has one writer anyway."""
    with postgresql_database(postgresql) as url, ThreadPoolExecutor(1) as elsewhere:
        first, second = (open_database(load_settings(database_url=url)) for _ in range(2))
        with first.connection_context():
            migrate(first)
            with first.atomic():
                assert signed_up(first, "a@example.org").role == "admin"
                waiting = elsewhere.submit(alone, second, "b@example.org")
                while not waiting.done() and not waits(first):
                    pass
        assert waiting.result().role == "user"


def signed_up(db: Any, email: str) -> UserRow:
    return add_user(db, email=email, password="", name=None, first_only=False, now=0)


def alone(db: Any, email: str) -> UserRow:
    """Sign up by a connection of one's own."""
    with db.connection_context(), db.atomic():
        return signed_up(db, email)


def waits(db: Any) -> bool:
    """Whether somebody waits for a lock in this database."""
    asked = (
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
        "WHERE NOT granted AND datname = current_database()"
    )
    return bool(db.execute_sql(asked).fetchone()[0])


@pytest.mark.requirement("SRV-17")
def test_of_those_who_sign_up_first_together_one_is_admin(fresh_server: Starter) -> None:
    server = fresh_server(database_threads=8)
    with ThreadPoolExecutor(8) as people:
        signed_up = [people.submit(server.sign_up) for _ in range(8)]
    users: list[Person] = [each.result() for each in signed_up]

    current = [server.get("/api/auth/sessions/current", token=each.token) for each in users]
    roles = sorted(answer.json["user"]["role"] for answer in current)
    assert roles == ["admin"] + ["user"] * 7
