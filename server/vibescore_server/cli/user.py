"""``vibescore-server user``: accounts, without a browser (SRV-17)."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

from vibescore_server.cli.opened import opened
from vibescore_server.cli.table import print_table
from vibescore_server.errors import ServerError
from vibescore_server.queries import accounts, grants
from vibescore_server.routes.words import Email, Name, Password, instant
from vibescore_server.tokens import Passwords, new_token

Found = TypeVar("Found")

from_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@click.group("user")
def command() -> None:
    """Accounts: create and list them, name administrators, reset passwords.

    \b
    Examples:
      vibescore-server user create me@example.org --admin
      vibescore-server user list
    """


@command.command()
@click.argument("email")
@click.option("--name", help="How the user is called.")
@click.option("--admin", is_flag=True, help="An administrator; the first user is one anyway.")
@click.option("--first", is_flag=True, help="Do nothing where there is a user already.")
@from_stdin
@click.pass_obj
def create(
    now: Callable[[], float],
    email: str,
    name: str | None,
    admin: bool,
    first: bool,
    password_stdin: bool,
) -> None:
    """Create a user, also where sign-up is closed.

    Asks for the password; where nobody can be asked, makes one and prints it once.

    \b
    Examples:
      vibescore-server user create me@example.org --name Ada --admin
      pass show vibescore | vibescore-server user create me@example.org --password-stdin
    """
    email = checked("EMAIL", email, Email)
    name = None if name is None else checked("--name", name, Name).strip()
    if first and anybody():
        click.echo("There is a user already, so none was created.", err=True)
        return
    password, made = choose_password(password_stdin)
    with opened() as db:
        user = add(db, email, name, hashed(password), int(now()), first_only=first)
        if admin:
            accounts.set_role(db, email, accounts.ADMIN)
    role = accounts.ADMIN if admin else user.role
    click.echo(f"Created {user.email} ({role}).")
    show(password, made)


def anybody() -> bool:
    with opened() as db:
        return accounts.has_users(db)


def add(
    db: Any, email: str, name: str | None, password: str, now: int, *, first_only: bool
) -> accounts.UserRow:
    try:
        return accounts.add_user(
            db, email=email, password=password, name=name, first_only=first_only, now=now
        )
    except accounts.EmailTaken:
        raise ServerError(f"There is a user {email} already.") from None
    except accounts.SignUpClosed:
        raise ServerError("Somebody else was the first user just now.") from None


@command.command("list")
def list_() -> None:
    """List all users, the newest last.

    \b
    Example:
      vibescore-server user list
    """
    with opened() as db:
        users = accounts.users(db)
    if not users:
        click.echo("There is no user yet: vibescore-server user create EMAIL")
        return
    rows = [(user.email, user.name or "", user.role, instant(user.created_at)) for user in users]
    print_table(("E-mail", "Name", "Role", "Created"), rows)


@command.command()
@click.argument("email")
@click.option("--remove", is_flag=True, help="Make an ordinary user of an administrator.")
def set_admin(email: str, remove: bool) -> None:
    """Make a user an administrator, or an ordinary user again.

    \b
    Examples:
      vibescore-server user set-admin me@example.org
      vibescore-server user set-admin me@example.org --remove
    """
    role = accounts.USER if remove else accounts.ADMIN
    with opened() as db:
        found(email, accounts.set_role(db, email, role))
    click.echo(f"{email} is {'an ordinary user' if remove else 'an administrator'} now.")


@command.command()
@click.argument("email")
@from_stdin
def reset_password(email: str, password_stdin: bool) -> None:
    """Give a user a new password, and end all sessions; linked computers stay linked.

    \b
    Examples:
      vibescore-server user reset-password me@example.org
      pass show vibescore | vibescore-server user reset-password me@example.org --password-stdin
    """
    with opened() as db:
        found(email, accounts.credentials(db, email))
    password, made = choose_password(password_stdin)
    with opened() as db:
        found(email, accounts.set_password(db, email, hashed(password)))
    click.echo(f"{email} has a new password; every session has ended.")
    show(password, made)


@command.command()
@click.argument("email")
@click.pass_obj
def link_code(now: Callable[[], float], email: str) -> None:
    """Print a code that links one computer to a user, within ten minutes.

    \b
    Examples:
      vibescore-server user link-code me@example.org
      vibescore init --link-code "$(vibescore-server user link-code me@example.org)"
    """
    with opened() as db:
        user, _ = found(email, accounts.credentials(db, email))
        code, ends = grants.add_link_code(db, user.id, now=int(now()))
    click.echo(code)
    told = f"It links one computer until {instant(ends)}, with 'vibescore init --link-code'."
    click.echo(told, err=True)


def checked(what: str, text: str, kind: Any) -> str:
    """The text, if it is of a kind. Raises ServerError."""
    try:
        valid: str = msgspec.convert(text, kind)
    except msgspec.ValidationError as error:
        raise ServerError(f"{what} cannot be used: {str(error).lower()}") from None
    return valid


def found(email: str, user: Found | None) -> Found:
    """What was found of a user. Raises ServerError when nothing was."""
    if not user:
        raise ServerError(f"There is no user {email}: vibescore-server user list")
    return user


def choose_password(from_stdin: bool) -> tuple[str, bool]:
    """A password, and whether it was made here. Raises ServerError."""
    if from_stdin:
        return checked("The password", sys.stdin.readline().rstrip("\r\n"), Password), False
    if not sys.stdin.isatty():
        return new_token(), True
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return checked("The password", typed, Password), False


def show(password: str, made: bool) -> None:
    if made:
        click.echo(f"Password (shown only now): {password}")


def hashed(password: str) -> str:
    passwords = Passwords()
    try:
        return asyncio.run(passwords.hash(password))
    finally:
        passwords.close()
