"""Calendar parameters: which days are meant, in which zone, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vibescore_server.errors import Invalid
from vibescore_server.span import Parameters, day_of, span, zone_of

NOW = datetime(2026, 8, 10, 22, 30, tzinfo=UTC).timestamp()

SPANS: dict[str, tuple[Parameters, str, str]] = {
    "nothing": ({}, "2026-07-12", "2026-08-10"),
    "blanks": ({"from": "", "to": " ", "tz": "\t"}, "2026-07-12", "2026-08-10"),
    "where it is tomorrow": ({"tz": "Asia/Kathmandu"}, "2026-07-13", "2026-08-11"),
    "where it is still today": ({"tz": "America/Los_Angeles"}, "2026-07-12", "2026-08-10"),
    "an offset ahead": ({"tz_offset_minutes": "90"}, "2026-07-13", "2026-08-11"),
    "an offset just not ahead": ({"tz_offset_minutes": "89"}, "2026-07-12", "2026-08-10"),
    "from alone": ({"from": "2026-08-01"}, "2026-08-01", "2026-08-10"),
    "to alone": ({"to": "2024-03-01"}, "2024-02-01", "2024-03-01"),
    "one day": ({"from": "2024-02-29", "to": "2024-02-29"}, "2024-02-29", "2024-02-29"),
    "800 days": ({"from": "2024-01-01", "to": "2026-03-10"}, "2024-01-01", "2026-03-10"),
    "days to come": ({"to": "2026-09-30"}, "2026-09-01", "2026-09-30"),
    "the first day": ({"to": "1970-01-01"}, "1969-12-03", "1970-01-01"),
    "the last day": ({"to": "9998-12-31"}, "9998-12-02", "9998-12-31"),
}


@pytest.mark.requirement("SRV-08")
@pytest.mark.parametrize("parameters, first, last", SPANS.values(), ids=SPANS.keys())
def test_days_are_the_last_thirty_unless_they_are_named(
    parameters: Parameters, first: str, last: str
) -> None:
    found = span(parameters, NOW)
    assert (found.first.isoformat(), found.last.isoformat()) == (first, last)
    assert found.days == (found.last - found.first).days + 1


OFFSETS: dict[str, tuple[Parameters, float]] = {
    "none": ({}, 0),
    "name": ({"tz": "Asia/Kathmandu"}, 345),
    "name and offset": ({"tz": "Asia/Kathmandu", "tz_offset_minutes": "-60"}, 345),
    "name and a wrong offset": ({"tz": "Asia/Kathmandu", "tz_offset_minutes": "x"}, 345),
    "blank name and offset": ({"tz": "", "tz_offset_minutes": "-210"}, -210),
    "old name": ({"tz": "Asia/Calcutta"}, 330),
    "name with a sign": ({"tz": "Etc/GMT+5"}, -300),
    "east": ({"tz_offset_minutes": "840"}, 840),
    "west": ({"tz_offset_minutes": "-840"}, -840),
    "a plus": ({"tz_offset_minutes": "+60"}, 60),
    "zero": ({"tz_offset_minutes": "0"}, 0),
    "blank offset": ({"tz_offset_minutes": " "}, 0),
}


@pytest.mark.requirement("SRV-08")
@pytest.mark.parametrize("parameters, minutes", OFFSETS.values(), ids=OFFSETS.keys())
def test_a_named_zone_comes_before_an_offset_and_utc_last(
    parameters: Parameters, minutes: float
) -> None:
    local = datetime.fromtimestamp(NOW, UTC).astimezone(zone_of(parameters))
    assert local.utcoffset() == timedelta(minutes=minutes)


REFUSED: dict[str, tuple[str, Parameters]] = {
    "no such zone": ("tz", {"tz": "Mars/Olympus"}),
    "other capitals": ("tz", {"tz": "europe/berlin"}),
    "blanks around": ("tz", {"tz": " UTC"}),
    "part of a name": ("tz", {"tz": "America"}),
    "the server's own": ("tz", {"tz": "localtime"}),
    "leap seconds": ("tz", {"tz": "right/UTC"}),
    "a path upwards": ("tz", {"tz": "../../etc/passwd"}),
    "a path around": ("tz", {"tz": "Europe/../Europe/Berlin"}),
    "a whole path": ("tz", {"tz": "/usr/share/zoneinfo/Europe/Berlin"}),
    "a zero byte": ("tz", {"tz": "UTC\0"}),
    "half a character": ("tz", {"tz": "\ud800"}),
    "long": ("tz", {"tz": "Europe/" + "x" * 100_000}),
    "wrong zone beside an offset": ("tz", {"tz": "x", "tz_offset_minutes": "60"}),
    "too far east": ("tz_offset_minutes", {"tz_offset_minutes": "841"}),
    "too far west": ("tz_offset_minutes", {"tz_offset_minutes": "-841"}),
    "hours": ("tz_offset_minutes", {"tz_offset_minutes": "05:30"}),
    "halves": ("tz_offset_minutes", {"tz_offset_minutes": "60.0"}),
    "underscores": ("tz_offset_minutes", {"tz_offset_minutes": "6_0"}),
    "other digits": ("tz_offset_minutes", {"tz_offset_minutes": "٦٠"}),
    "many digits": ("tz_offset_minutes", {"tz_offset_minutes": "9" * 10_000}),
    "no zeros": ("from", {"from": "2025-1-1"}),
    "no hyphens": ("from", {"from": "20250101"}),
    "a week": ("to", {"to": "2025-W01-1"}),
    "a time": ("to", {"to": "2025-01-01T00:00:00Z"}),
    "a new line": ("to", {"to": "2025-01-01\n"}),
    "day blanks": ("to", {"to": " 2025-01-01"}),
    "day digits": ("to", {"to": "٢٠٢٥-٠١-٠١"}),
    "no such month": ("to", {"to": "2025-13-40"}),
    "no leap year": ("from", {"from": "2025-02-29"}),
    "year 0": ("from", {"from": "0000-01-01"}),
    "before 1970": ("from", {"from": "1969-12-31", "to": "1970-01-05"}),
    "after 9998": ("to", {"to": "9999-01-01"}),
    "the wrong way round": ("from", {"from": "2026-08-02", "to": "2026-08-01"}),
    "from tomorrow on": ("from", {"from": "2026-08-11"}),
    "801 days": ("from", {"from": "2024-01-01", "to": "2026-03-11"}),
}


@pytest.mark.requirement("SRV-08", "SRV-20")
@pytest.mark.parametrize("name, parameters", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_is_named(name: str, parameters: Parameters) -> None:
    with pytest.raises(Invalid) as refused:
        span(parameters, NOW)
    assert refused.value.field == name
    assert str(refused.value).startswith(f"'{name}': ")
    assert len(str(refused.value)) < 100


@pytest.mark.requirement("SRV-08")
def test_every_zone_has_its_name() -> None:
    names = available_timezones() - {"localtime"}
    assert {str(zone_of({"tz": name})) for name in names} == names


NAMES = st.sampled_from(["tz", "tz_offset_minutes", "from", "to"])
TEXTS = st.text() | st.dates().map(str) | st.integers(-1000, 1000).map(str)


def days_or_refused(parameters: Parameters) -> int | str:
    """How many days are meant, or which parameter is refused."""
    try:
        return span(parameters, NOW).days
    except Invalid as refused:
        return refused.field


@pytest.mark.requirement("SRV-08", "SRV-20")
@given(parameters=st.dictionaries(NAMES, TEXTS))
def test_whatever_stands_in_an_address_means_days_or_is_refused(parameters: Parameters) -> None:
    assert days_or_refused(parameters) in {*range(1, 801), *parameters}


@pytest.mark.requirement("SRV-09", "SRV-13")
def test_a_day_by_another_name_is_read_in_the_same_way() -> None:
    today = date(2026, 8, 10)
    assert day_of({"day": "2025-12-22"}, "day", default=today) == date(2025, 12, 22)
    assert day_of({"from": "2025-12-22"}, "day", default=today) == today
    with pytest.raises(Invalid, match="'day': this is no day; write it like 2026-08-10"):
        day_of({"day": "2025-12-32"}, "day", default=today)
