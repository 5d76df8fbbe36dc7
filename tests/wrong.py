"""Plugins of made-up tools for the conformance kit: right ones, and ways to spoil them.

`DIARY` reads a line log, `CHAT` a document, `LEDGER` a database, `METER` running totals. A `Wrong`
plugin is one of them with a few words changed; it says which checks of the kit notice, the telling
one first, and what that one says.
"""

from __future__ import annotations

import json
from typing import NamedTuple

DIARY = """
from msgspec import Struct

from vibescore import Identity, Lines, NotifyTarget, TokenTotals, Tree, UsageEvent, hookimpl
from vibescore import utc_seconds


class Record(Struct):
    type: str = ""
    id: str | None = None
    at: str | None = None
    model: str | None = None
    input: int | None = None
    cached: int | None = None
    output: int | None = None


class Head(Struct, tag_field="type", tag="opened"):
    session: str


class State(Struct):
    model: str | None = None


NOTES = rb'\\{"type":"note"'


@hookimpl
def vibescore_discover(env):
    yield Tree(env.home / ".diary", "**/*.jsonl", Lines(Record, State, NOTES), Head)


@hookimpl
def vibescore_identify(path, head):
    return Identity(head.session) if head and head.session else None


@hookimpl
def vibescore_parse(records, context):
    for record in records:
        if record.type == "model":
            context.state.model = record.model
        if record.type == "used":
            yield from used(record, context)


def used(record, context):
    at = utc_seconds(record.at)
    if at is None or record.id is None:
        context.skip("no time or no id")
        return
    input, cached, output = (max(n or 0, 0) for n in (record.input, record.cached, record.output))
    tokens = TokenTotals(input, min(cached, input), output, 0, input + output)
    yield UsageEvent((context.key, record.id), at, context.state.model, tokens)


@hookimpl
def vibescore_backfill_model(slot, timeline):
    nearest = timeline.nearest("ink", slot.start)
    return timeline.dominant(nearest) if nearest else None


@hookimpl
def vibescore_notify_target(env):
    return NotifyTarget(env.home / ".diary" / "config.toml")
"""

CHAT = """
from msgspec import Struct

from vibescore import Document, Identity, TokenTotals, Tree, UsageEvent, hookimpl


class Message(Struct):
    id: str | None = None
    at: float | None = None
    tokens: int | None = None


class Chat(Struct):
    session: str | None = None
    messages: list[Message] | None = None


@hookimpl
def vibescore_discover(env):
    yield Tree(env.home / ".chat", "*.json", Document(Chat), Chat)


@hookimpl
def vibescore_identify(head):
    return Identity(head.session) if head and head.session else None


@hookimpl
def vibescore_parse(records, context):
    for chat in records:
        for place, message in enumerate(chat.messages or []):
            if message.id is not None and message.at is not None:
                tokens = max(message.tokens or 0, 0)
                totals = TokenTotals(tokens, 0, 0, 0, tokens)
                yield UsageEvent((context.key, message.id), message.at, "ink-1", totals)
"""

LEDGER = '''
from msgspec import Struct

from vibescore import Identity, Rows, TokenTotals, Tree, UsageEvent, hookimpl

QUERY = """
    SELECT changed, id, json_extract(data, '$.tokens') AS tokens FROM message
    WHERE :since IS NULL OR changed >= :since ORDER BY changed
"""


class Row(Struct):
    changed: int
    id: str
    tokens: int | None = None


@hookimpl
def vibescore_discover(env):
    yield Tree(env.home / ".ledger", "ledger.db", Rows(QUERY, Row))


@hookimpl
def vibescore_identify(path):
    return Identity("ledger")


@hookimpl
def vibescore_parse(records):
    for row in records:
        tokens = max(row.tokens or 0, 0)
        totals = TokenTotals(tokens, 0, 0, 0, tokens)
        yield UsageEvent(row.id, row.changed, "ink-1", totals)
'''

METER = """
from msgspec import Struct

from vibescore import Identity, Lines, RunningTotal, TokenTotals, Tree, hookimpl


class Reading(Struct):
    meter: str | None = None
    at: float | None = None
    total: int | None = None


class Head(Struct):
    meter: str


@hookimpl
def vibescore_discover(env):
    yield Tree(env.home / ".meter", "*.log", Lines(Reading), Head)


@hookimpl
def vibescore_identify(path, head):
    return Identity(f"{head.meter} {path.stem}") if head else None


@hookimpl
def vibescore_parse(records):
    for record in records:
        if record.meter and record.at is not None:
            total = max(record.total or 0, 0)
            yield RunningTotal(record.meter, record.at, None, TokenTotals(total, 0, 0, 0, total))
"""

CODES = {"diary": DIARY, "chat": CHAT, "ledger": LEDGER, "meter": METER}

WRITE_LEDGER = """
    def write_samples(self, home):
        import sqlite3
        from contextlib import closing

        (home / ".ledger").mkdir()
        with closing(sqlite3.connect(home / ".ledger" / "ledger.db")) as database, database:
            columns = "id TEXT, changed INTEGER, data TEXT, said TEXT"
            database.execute(f"CREATE TABLE message ({columns})")
            for n, changed in enumerate((1_772_352_300, 1_772_352_300, 1_772_355_900)):
                data = '{"tokens": %d, "text": "Hello!"}' % (10 ** n)
                row = (f"m{n}", changed, data, "Dear ledger")
                database.execute("INSERT INTO message VALUES (?, ?, ?, ?)", row)
"""


def used(name: str, at: str, input: int, cached: int, output: int) -> dict[str, object]:
    counters = {"input": input, "cached": cached, "output": output}
    return {"type": "used", "id": name, "at": f"2026-03-01T{at}:00Z", **counters}


def model(name: str) -> dict[str, object]:
    return {"type": "model", "model": name}


def opened(session: str) -> dict[str, object]:
    return {"type": "opened", "session": session, "who": "Ann"}


NOTE: dict[str, object] = {"type": "note", "text": "Dear diary, today I saw the sea"}
ONE = [
    opened("s-one"),
    model("ink-1"),
    used("r1", "08:05", 300, 40, 10),
    NOTE,
    model("ink-2"),
    used("r2", "09:05", 200, 80, 20),
]
TWO = [opened("s-two"), model("ink-1"), used("r1", "10:05", 50, 0, 5), NOTE]
CHATS = [{"id": f"c{n}", "at": 1_772_352_300 + n, "tokens": 10 ** (4 - n)} for n in range(4)]


METERS: list[dict[str, object]] = [
    {"meter": name, "at": 1_772_352_300 + 1_000 * n, "total": 5**n}
    for n in range(4)
    for name in ("east", "west")
]


def log(records: list[dict[str, object]]) -> str:
    return "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records)


SAMPLES = {
    "samples/.diary/one.jsonl": log(ONE),
    "samples/.diary/2026/two.jsonl": log(TWO),
    "samples/.meter/one.log": log(METERS[:5]),
    "samples/.meter/two.log": log(METERS[4:]),
    "samples/.chat/one.json": json.dumps({"session": "c-1", "title": "Hi", "messages": CHATS}),
}
OF_TOOL = {"meter": ".meter", "diary": ".diary", "chat": ".chat", "ledger": ".ledger"}

EXPECTED = """
# By hand: r1 of s-one, r2 of it with the other model, r1 of s-two.
{"source":"diary","model":"ink-1","hour_start":"2026-03-01T08:00:00Z","input_tokens":300,"cached_input_tokens":40,"output_tokens":10,"reasoning_output_tokens":0,"total_tokens":310}
{"source":"diary","model":"ink-2","hour_start":"2026-03-01T09:00:00Z","input_tokens":200,"cached_input_tokens":80,"output_tokens":20,"reasoning_output_tokens":0,"total_tokens":220}
{"source":"diary","model":"ink-1","hour_start":"2026-03-01T10:00:00Z","input_tokens":50,"cached_input_tokens":0,"output_tokens":5,"reasoning_output_tokens":0,"total_tokens":55}
"""

LOADS = "test_the_plugin_loads"
EMPTY = "test_an_empty_home_is_nothing_to_read"
TREES = "test_trees_lie_where_the_environment_says"
TOUCH = "test_hooks_touch_nothing_of_the_computer"
READ = "test_the_samples_are_read"
RECOGNISED = "test_every_sample_is_recognised"
SAMPLED = "test_every_tree_has_a_sample"
ROWS = "test_the_rows_are_those_expected"
FREE = "test_records_declare_no_free_content"
SAID = "test_nothing_said_is_kept_or_shown"
FORM = "test_counters_are_in_normal_form"
TIMES = "test_times_are_utc_seconds"
SAME = "test_events_are_the_same_when_read_again"
SWALLOWED = "test_no_event_is_swallowed"
SECOND = "test_a_second_sync_changes_nothing"
AGAIN = "test_reading_everything_again_counts_nothing_twice"
ORDER = "test_files_may_arrive_in_any_order"
CUT = "test_a_log_may_be_cut_anywhere"
VERSIONS = "test_versions_of_a_document_may_come_in_any_order"
STEPS = "test_a_database_may_be_read_in_steps"
STATE = "test_the_state_survives_serialisation"
OUTSIDE = "test_nothing_is_remembered_outside_the_state"
REPLACED = "test_a_file_replaced_or_shrunk_takes_nothing_away"
SPELLING = "test_any_spelling_counts_the_same"
BROKEN = "test_broken_records_change_nothing"
DAMAGED = "test_damaged_records_raise_nothing"
FOREIGN = "test_foreign_files_count_nothing"
BACKFILL = "test_backfill_answers_follow_from_the_timeline"
NOTIFY = "test_the_notify_target_lies_in_the_home"


class Wrong(NamedTuple):
    """A plugin with a mistake: what is changed, which checks fail, and what the first says.

    ``contract`` is what its author has written in the class of the test besides.
    """

    changes: dict[str, str]
    fails: tuple[str, ...]
    says: tuple[str, ...]
    contract: str = ""
    base: str = "diary"

    @property
    def code(self) -> str:
        text = CODES[self.base]
        for old, new in self.changes.items():
            assert old in text, old
            text = text.replace(old, new)
        return text


DISCOVER = "yield Tree(env.home"
IDENTIFY = "    return Identity(head.session) if head and head.session else None"
YIELD = "    yield UsageEvent((context.key, record.id), at"
TOTALS = "tokens = TokenTotals(input, min(cached, input), output, 0, input + output)"
HEAD = "from msgspec import Struct"
NEAREST = "    return timeline.dominant(nearest) if nearest else None"
TARGET = 'env.home / ".diary" / "config.toml"'

WRONG = {
    "a misspelt hook": Wrong(
        {"def vibescore_identify": "def vibescore_identfy"},
        (LOADS,),
        ("vibescore_identfy", "as vibescore.hookspecs does"),
    ),
    "hooks of another version": Wrong(
        {HEAD: f"{HEAD}\n\nvibescore_api = 99"}, (LOADS,), ("written for version 99",)
    ),
    "insists on logs": Wrong(
        {DISCOVER: f'(env.home / ".diary").stat()\n    {DISCOVER}'},
        (EMPTY, TREES),
        ("On an empty home: plugin diary failed to discover", "FileNotFoundError"),
    ),
    "makes its directory": Wrong(
        {DISCOVER: f'(env.home / ".diary").mkdir(parents=True, exist_ok=True)\n    {DISCOVER}'},
        (TOUCH,),
        ("vibescore_discover makes", "a plugin opens no file, the host reads"),
    ),
    "looks for the home itself": Wrong(
        {DISCOVER: "from pathlib import Path\n    yield Tree(Path.home()"},
        (TREES, TOUCH, READ),
        ("lies outside of the home", "never from Path.home()"),
    ),
    "reads a directory of the system": Wrong(
        {DISCOVER: 'yield Tree(env.home.parent.parent, "no.log", Lines(Record))\n    ' + DISCOVER},
        (TREES,),
        ("lies outside of the home", "env.directory(variable)"),
    ),
    "reads the environment itself": Wrong(
        {DISCOVER: f'import os\n    os.environ.get("DIARY_HOME")\n    {DISCOVER}'},
        (TOUCH,),
        ("vibescore_discover reads the variable DIARY_HOME", "take paths and variables from env"),
    ),
    "opens the log itself": Wrong(
        {IDENTIFY: f"    path.read_bytes()\n{IDENTIFY}"},
        (TOUCH,),
        ("vibescore_identify opens", "the host reads"),
    ),
    "makes ids with hash()": Wrong(
        {"(context.key, record.id)": "hash((context.key, record.id))"},
        (TOUCH,),
        ("vibescore_parse calls hash(), which is another in every process", "ids from the log"),
    ),
    "has a sample that is cut off": Wrong(
        {},
        (READ,),
        ("The sample torn.json is left out", "let the samples be whole"),
        """
    def write_samples(self, home):
        super().write_samples(home)
        (home / ".chat" / "torn.json").write_text('{"session": "c-2", "mess')
""",
        "chat",
    ),
    "counts its records before it looks": Wrong(
        {"    for record in records:": "    assert len(records)\n    for record in records:"},
        (READ,),
        ("object of type 'generator' has no len()", "vibescore_parse"),
    ),
    "finds no usage": Wrong(
        {'record.type == "used"': 'record.type == "spent"'},
        (READ,),
        ("The samples show nothing: 2 files recognised, 0 usage events", "put logs with usage"),
    ),
    "raises on what the tool writes": Wrong(
        {'record.type == "model"': 'record.kind == "model"'},
        (READ,),
        ("plugin diary failed to parse", "AttributeError: 'Record' object has no attribute 'kind'"),
    ),
    "answers with something else": Wrong(
        {YIELD: "    yield dict(at=at)\n    return\n" + YIELD},
        (READ,),
        ("a dict is no UsageEvent", "cope with what the tool writes"),
    ),
    "gives a model that is no text": Wrong(
        {"at, context.state.model": "at, 5"},
        (READ,),
        ("at record 3", "the model is a int: give a text or None"),
    ),
    "passes over a log": Wrong(
        {"if head and head.session": 'if head and head.session not in ("", "s-two")'},
        (RECOGNISED,),
        ("The sample .diary/2026/two.jsonl is not read", "vibescore_identify recognise it"),
    ),
    "takes what is another tool's": Wrong(
        {},
        (RECOGNISED,),
        ("two.jsonl is recognised although", "answer None for what another tool wrote"),
        'foreign = ("*two.jsonl",)',
    ),
    "a tree that no sample shows": Wrong(
        {
            DISCOVER: 'yield Tree(env.home / ".old", "*.jsonl", Lines(Record), Head)\n    '
            + DISCOVER
        },
        (SAMPLED,),
        ("No sample lies in the tree .old/*.jsonl", "add one"),
    ),
    "counts otherwise than by hand": Wrong(
        {"input, cached, output = (": "output, cached, input = ("},
        (ROWS,),
        ("ink-1 at 2026-03-01T08:00:00Z has input_tokens 10 instead of 300", "reckon by hand"),
        'expected = Path(__file__).parent / "expected.jsonl"',
    ),
    "decodes anything": Wrong(
        {"output: int | None = None": "output: int | None = None\n    text: object = None"},
        (FREE,),
        ("The field text of Record takes anything", "declare the fields that you need"),
    ),
    "decodes what was said": Wrong(
        {
            "output: int | None = None": "output: int | None = None\n    text: str | None = None",
            ", NOTES)": ")",
        },
        (FREE,),
        ("holds a text of 31 letters", "declare only numbers, times, models and ids"),
        "",
    ),
    "asks for more than it declares": Wrong(
        {"SELECT changed, id,": "SELECT changed, id, said,"},
        (FREE,),
        ("gives the column said, which Row does not declare", "select declared fields alone"),
        WRITE_LEDGER,
        "ledger",
    ),
    "remembers what was said": Wrong(
        {
            "output: int | None = None": "output: int | None = None\n    who: object = None",
            "class State(Struct):": "class State(Struct):\n    who: str = ''",
            "    for record in records:": "    for record in records:\n"
            "        context.state.who = str(record.who or context.state.who)[:50]",
        },
        (SAID, FREE),
        ("What a log says turned up in vibescore.db", "put only ids, times, models"),
    ),
    "prints": Wrong(
        {YIELD: f"    print(context.key)\n{YIELD}"},
        (SAID,),
        ("The plugin wrote to standard output", "print nothing"),
    ),
    "quotes a log in a reason": Wrong(
        {YIELD: f'    context.skip(f"unsure of {{record.at}}")\n{YIELD}'},
        (SAID,),
        ("A reason given to context.skip quotes a record", "a constant text"),
    ),
    "knows all fields that will ever be": Wrong(
        {"class Record(Struct):": "class Record(Struct, forbid_unknown_fields=True):"},
        (SAID,),
        ("With new fields in every object", "no forbid_unknown_fields"),
    ),
    "adds the cache to the total": Wrong(
        {"input + output)": "input + output + cached)"},
        (FORM,),
        ("total_tokens 350, not input + output = 310", "one.jsonl, decoded record 3", "their sum"),
    ),
    "counts the cache beside the input": Wrong(
        {TOTALS: "tokens = TokenTotals(input // 10, cached, output, 0, input // 10 + output)"},
        (FORM,),
        ("cached_input_tokens 40 of input_tokens 30", "add what the tool counts beside the input"),
    ),
    "gives milliseconds": Wrong(
        {YIELD: f"    at *= 1000\n{YIELD}"},
        (TIMES, READ),
        ("00000.0 (.diary/", "later than tomorrow", "divide milliseconds by 1000"),
    ),
    "counts from another year": Wrong(
        {YIELD: f"    at -= 978_307_200\n{YIELD}"},
        (TIMES,),
        ("before the year 2000", "utc_seconds()"),
    ),
    "draws ids by lot": Wrong(
        {"(context.key, record.id)": '__import__("uuid").uuid4().hex'},
        (SAME, AGAIN, OUTSIDE, REPLACED),
        ("A second reading tells other usage", "no random numbers"),
    ),
    "gives many responses one id": Wrong(
        {"(context.key, record.id)": "context.key"},
        (SWALLOWED,),
        ("one.jsonl, decoded record 5", "only the larger counts", "special to one response"),
    ),
    "says something else each time": Wrong(
        {
            DISCOVER: f"global version\n    version += 1\n    {DISCOVER}",
            "NOTES), Head)": "NOTES), Head, version)",
            "NOTES = ": "version = 0\nNOTES = ",
        },
        (SECOND,),
        ("A second sync read 2 files again", "the same trees"),
    ),
    "leaves out what was seen": Wrong(
        {YIELD: f"    if context.seen((context.key, record.id)):\n        return\n{YIELD}"},
        (AGAIN,),
        ("With sync --rebuild", "seen() is only for telling the copied head"),
    ),
    "takes back what was seen": Wrong(
        {
            "TokenTotals, Tree, U": "TokenTotals, Tree, Copy, U",
            YIELD: "    if context.seen((context.key, record.id)):\n"
            f"        yield Copy((context.key, record.id))\n        return\n{YIELD}",
        },
        (REPLACED, AGAIN),
        ("was written again in place", "take nothing back (Copy)"),
    ),
    "lets one log depend on others": Wrong(
        {
            "TokenTotals, Tree, U": "TokenTotals, Tree, Mark, U",
            YIELD: "    if context.seen(('first', 's-one')) and context.key == 's-two':\n"
            f"        return\n    yield Mark(('first', context.key))\n{YIELD}",
        },
        (ORDER, AGAIN),
        ("the last first", "not depend on what stands in others"),
    ),
    "forgets the model between two syncs": Wrong(
        {
            "            context.state.model = record.model": "            model = record.model",
            "used(record, context)": "used(record, context, model)",
            "    for record in records:": "    model = None\n    for record in records:",
            "at, context.state.model": "at, model",
        },
        (CUT,),
        ("piece by piece", "cut behind line 2", "into context.state"),
    ),
    "names messages by their place": Wrong(
        {"(context.key, message.id)": "(context.key, len(chat.messages) - place)"},
        (VERSIONS,),
        ("in several versions", "no places in the list"),
        base="chat",
    ),
    "misses rows of the same second": Wrong(
        {"changed >= :since": "changed > :since"},
        (STEPS,),
        ("With row 1 of .ledger/ledger.db written before one sync", "ask for >= :since"),
        WRITE_LEDGER,
        "ledger",
    ),
    "asks for rows in no order": Wrong(
        {"ORDER BY changed": "ORDER BY changed DESC"},
        (STEPS,),
        ("not in the order of its first column, changed", "end it with ORDER BY changed"),
        WRITE_LEDGER,
        "ledger",
    ),
    "keeps a state of unclear type": Wrong(
        {
            "class State(Struct):": "class State(Struct):\n    last: object = None",
            YIELD: f"    context.state.last = (record.id, at)\n{YIELD}",
        },
        (STATE, DAMAGED),
        ("The field last of the state comes back as a list", "declare every field of the state"),
    ),
    "keeps a state that cannot be kept": Wrong(
        {
            "class State(Struct):": "class State(Struct):\n    last: object = None",
            YIELD: f"    context.state.last = context\n{YIELD}",
        },
        (READ,),
        ("its answer cannot be kept", "a hook answers with what hookspecs says"),
    ),
    "remembers in the module": Wrong(
        {
            "context.state.model": "memory['model']",
            "NOTES = ": "memory = {'model': None}\nNOTES = ",
        },
        (OUTSIDE,),
        ("Two readings of one.jsonl at once", "keep nothing in the module"),
    ),
    "skips lines that matter": Wrong(
        {'"note"\'': '"(?:note"|used","id":"r2)\''},
        (SPELLING,),
        ("When no line is skipped, ink-2", "Lines.skip match only what proves"),
    ),
    "skips what it cannot know": Wrong(
        {'\\{"type":"note"': '\\{"(?!type)'},
        (BROKEN, SPELLING),
        ("not counted as a malformed record", "whole beginnings that the tool writes"),
    ),
    "believes any record": Wrong(
        {'if record.type == "model"': 'if record.type not in ("used", "note", "opened")'},
        (BROKEN,),
        ("With broken, foreign and lone records", "remember (context.state) nothing"),
    ),
    "adds what may be missing": Wrong(
        {"max(n or 0, 0)": "max(n, 0)"},
        (DAMAGED,),
        (
            ".diary/",
            "with input = None in record 3 is too much: TypeError",
            "may be missing (None)",
        ),
    ),
    "keeps numbers of any size": Wrong(
        {
            "class State(Struct):": "class State(Struct):\n    last: int = 0",
            YIELD: f"    context.state.last = input\n{YIELD}",
        },
        (DAMAGED,),
        ("The state cannot be kept (.diary/", "with input = 1180591620717411303424"),
    ),
    "takes each file for its own": Wrong(
        {IDENTIFY: "    return Identity(head.session)"},
        (FOREIGN, DAMAGED),
        ("With a file .diary/foreign/foreign.jsonl of another tool", "raises nothing"),
    ),
    "finds usage in anything": Wrong(
        {
            IDENTIFY: "    return Identity(path.stem)",
            "at is None or record.id is None": "False",
            "utc_seconds(record.at)": "utc_seconds(record.at) or 1.0e9",
            'record.type == "used"': "record.input or record.count",
            "output: int | None = None": "output: int | None = None\n    count: int | None = None",
            "(record.input, ": "(record.input or record.count, ",
        },
        (FOREIGN,),
        ("of another tool counts tokens", "answer None unless the head is one of yours"),
    ),
    "fills in from memory": Wrong(
        {
            NEAREST: "    asked.append(slot)\n    return f'ink-{len(asked)}'",
            "NOTES = ": "asked = []\nNOTES = ",
        },
        (BACKFILL,),
        ("when it is asked again", "follow from slot and timeline alone"),
    ),
    "expects a model to be known": Wrong(
        {NEAREST: "    return timeline.dominant(nearest)"},
        (BACKFILL,),
        ("plugin diary failed to backfill", "nearest() and dominant() may be None"),
    ),
    "fills in a name that is none": Wrong(
        {NEAREST: '    return " ink-1 "'},
        (BACKFILL,),
        ("answers ' ink-1 ' when nothing was used", "the name of a model, trimmed"),
    ),
    "is called from elsewhere": Wrong(
        {TARGET: 'env.home.parent / "config.toml"'},
        (NOTIFY,),
        ("does not lie in the home", "build it from env.home"),
    ),
    "is called from an unknown kind of file": Wrong(
        {TARGET: f'{TARGET}, hook="AfterTurn"'},
        (NOTIFY,),
        ("config.toml with hook='AfterTurn'", "a .json file and the event"),
    ),
    "writes where it is called from": Wrong(
        {"    return NotifyTarget": '    (env.home / "new.toml").touch()\n    return NotifyTarget'},
        (NOTIFY, TOUCH),
        ("wrote into the home", "only name the file"),
    ),
}
"""By what is wrong with them."""
