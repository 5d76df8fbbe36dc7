"""The options that every report takes, in one place (CLI-09)."""

import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click

from vibescore.cli.app import App

if TYPE_CHECKING:
    from vibescore.model import Bucket
    from vibescore.report import Selection

DAYS = "2026-08-10, today, yesterday, or 7d: the last seven days"
OPTIONS = (
    click.option("--json", "as_json", is_flag=True, help="For scripts: docs/reports.md."),
    click.option("--csv", "as_csv", is_flag=True, help="For spreadsheets: the rows, no totals."),
    click.option("--since", metavar="DAY", help=f"The first local day: {DAYS}."),
    click.option("--until", metavar="DAY", help="The last local day, included."),
    click.option(
        "--source",
        "sources",
        metavar="NAME",
        multiple=True,
        help="Only this source; may be repeated.",
    ),
    click.option(
        "--model", "models", metavar="NAME", multiple=True, help="Only this model; may be repeated."
    ),
    click.option("--timezone", metavar="ZONE", help="Such as Europe/Berlin; default: your own."),
)


class Asked(NamedTuple):
    """What a report is asked for, and on which local day."""

    app: App
    form: Literal["table", "json", "csv"]
    selection: "Selection"
    today: date

    def on(self, since: date, until: date) -> "Asked":
        """The same of other days."""
        return self._replace(selection=self.selection.between(since, until))


def asking(command: Callable[[Asked], None]) -> Callable[..., None]:
    """Give a report its options; those of a group hold for its commands too."""

    def ask(ctx: click.Context, /, **own: Any) -> None:
        if ctx.invoked_subcommand is None:
            above = ctx.parent.params if ctx.parent else {}
            command(_asked(ctx.obj, {name: own[name] or above.get(name) for name in own}))

    report: Callable[..., None] = update_wrapper(click.pass_context(ask), command)
    for option in reversed(OPTIONS):
        report = option(report)
    return report


def _asked(app: App, options: dict[str, Any]) -> Asked:
    from vibescore.calendar import local_day
    from vibescore.report import Selection

    if options["as_json"] and options["as_csv"]:
        raise click.UsageError("--json and --csv exclude each other: choose one.")
    zone = _zone(options["timezone"])
    today = local_day(time.time(), zone)
    since, until = (_day(f"--{end}", options[end], today) for end in ("since", "until"))
    if since and until and since > until:
        raise _bad("--since", f"{since} is after --until {until}: exchange them.")
    return Asked(
        app,
        "json" if options["as_json"] else "csv" if options["as_csv"] else "table",
        Selection(
            zone,
            options["timezone"] or _own_zone(),
            since,
            until,
            tuple(options["sources"] or ()),
            tuple(options["models"] or ()),
        ),
        today,
    )


def _zone(name: str | None) -> tzinfo | None:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # whatever zoneinfo makes of strange names
        raise _bad(
            "--timezone", f"no time zone {name!r} is known: write it like Europe/Berlin or UTC."
        ) from None


def _own_zone() -> str:
    """The local time zone as people write it: name and offset from UTC."""
    now = datetime.fromtimestamp(time.time(), UTC).astimezone()
    return "UTC" if now.tzname() == "UTC" else f"{now.tzname()}, UTC{now.isoformat()[-6:]}"


def _day(option: str, text: str | None, today: date) -> date | None:
    if not text:
        return None
    try:
        return _parsed(text, today)
    except (ValueError, OverflowError):
        raise _bad(option, f"{text!r} is no day: write it like {DAYS}.") from None


def _parsed(text: str, today: date) -> date:
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    if text in named:
        return named[text]
    if re.fullmatch(r"[1-9]\d*d", text):
        return today - timedelta(days=int(text[:-1]) - 1)
    return date.fromisoformat(text)


def check(selection: "Selection", buckets: Iterable["Bucket"]) -> None:
    """Raise click.BadParameter for a source or a model of which nothing at all was collected."""
    known = list(buckets)
    _check("--source", selection.sources, {bucket.source for bucket in known})
    _check("--model", selection.models, {bucket.model for bucket in known})


def _check(option: str, asked: Iterable[str], known: set[str]) -> None:
    if known and (unknown := sorted(set(asked) - known)):
        names = ", ".join(sorted(known))
        raise _bad(option, f"{unknown[0]!r} has no usage here. There is usage of: {names}.")


def _bad(option: str, what: str) -> click.BadParameter:
    """A mistake in an option; ends with 2."""
    return click.BadParameter(what, click.get_current_context(), param_hint=f"'{option}'")
