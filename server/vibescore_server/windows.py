"""The days that a leaderboard is about, as a pure function (SRV-14). They are days of UTC."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Literal, NamedTuple, get_args

from vibescore.calendar import sunday_of

Period = Literal["day", "week", "month", "total"]
PERIODS: tuple[Period, ...] = get_args(Period)


class Window(NamedTuple):
    """From the first to the last of its days, both included."""

    first: date
    last: date


def window(period: Period, today: date, first_recorded: date | None) -> Window:
    """The whole period that holds ``today``; ``total`` begins with the first day on which anyone
    used a token (None: nobody did, so it is today alone).
    """
    match period:
        case "day":
            return Window(today, today)
        case "week":
            return Window(sunday_of(today), sunday_of(today) + timedelta(days=6))
        case "month":
            _, length = monthrange(today.year, today.month)
            return Window(today.replace(day=1), today.replace(day=length))
        case "total":
            return Window(min(first_recorded or today, today), today)
