"""Small trees of Every Code with their exact truth: more cases for `corpora.CASES` (COL-04).

The truths follow from `sources.md`, chapter 2, and from chapter 1 where that is silent. Logs of
Codex in a tree are there to be told apart; the truth holds the rows of Every Code only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from corpora import (
    BROKEN_LINES,
    GPT_51,
    GPT_52,
    MINI,
    Build,
    Steps,
    equal_turns,
    foreign_count,
    old_cache_name,
    opened,
    quoted_numbers,
    respelled,
    tool_output,
    without_total,
    zero_total,
)
from corpora import case as case_of
from rollouts import (
    EveryCode,
    Record,
    Rollout,
    Spelling,
    Truth,
    append,
    archive,
    backwards,
    compact,
    compress,
    compressed_copy,
    escaped,
    event_msg,
    lines,
    moment,
    replace,
    session_id,
    spaced,
    truth_of,
    write,
)

SOURCE = "every-code"


def case(name: str) -> Callable[[Build], Build]:
    """Registers a case of Every Code under the sentence that names it."""
    return case_of(f"Every Code: {name}", SOURCE)


def coded(number: int, start: str = "2026-08-10T09:14:00") -> EveryCode:
    """A session that has just begun."""
    return EveryCode(number, start).meta()


def spent(*logs: Rollout) -> Truth:
    """What Every Code has spent, in a home with these logs."""
    return {key: row for key, row in truth_of(*logs).items() if key[0] == SOURCE}


def saved(home: Path, *logs: Rollout) -> Truth:
    """Writes them all and gives their truth."""
    for log in logs:
        log.save(home)
    return spent(*logs)


@case("several events in one half-hour, one in the next")
def several_events(home: Path) -> Steps:
    code = coded(1).usage(1_200, 1_000, 80, 40).usage(1_500, 1_200, 60, 0)
    yield saved(home, code.usage(30, 0, 5, 5, at="09:31"))


@case("turns of several tasks, each with its own sequence")
def several_tasks(home: Path) -> Steps:
    yield saved(home, coded(1).turns(4).turns(2, at="10:31"))


@case("unchanged re-sends, further on in the sequence")
def unchanged_resends(home: Path) -> Steps:
    code = coded(1).usage(1_200, 1_000, 80, 40).resend().resend()
    yield saved(home, code.usage(900, 0, 20, 0).resend(at="09:40").task().resend())


@case("re-send in a later sync than its event")
def resend_in_a_later_sync(home: Path) -> Steps:
    code = coded(1).usage(1_200, 1_000, 80, 40)
    path = code.save(home)
    yield spent(code)
    code.resend(at="09:40").usage(900, 0, 20, 0).append_to(path)
    yield spent(code)


@case("null info")
def null_info(home: Path) -> Steps:
    code = coded(1).null().usage(1_200, 1_000, 80, 40).null().resend().null()
    yield saved(home, code.usage(900, 0, 20, 0).task().null())


@case("session across half-hours and midnight")
def across_midnight(home: Path) -> Steps:
    code = coded(1, "2026-08-10T23:20:00")
    for at in ("23:29:59.999", "23:30", "2026-08-11T00:00", "2026-08-11T00:29:59.999"):
        code.usage(900, 100, 20, 0, at=at)
    yield saved(home, code)


@case("no model at all")
def no_model(home: Path) -> Steps:
    yield saved(home, coded(1).turns(2).turns(1, at="11:00"))


@case("requested model")
def requested_model(home: Path) -> Steps:
    yield saved(home, coded(1).naming(requested=GPT_52).turns(2))


@case("model of the latest response only")
def latest_response_model(home: Path) -> Steps:
    yield saved(home, coded(1).naming(answering=GPT_52).turns(2))


@case("requested model and another one that answered")
def requested_and_latest(home: Path) -> Steps:
    """The specification names the requested one first."""
    code = coded(1).naming(requested=GPT_52, answering="gpt-5.2-codex-2026-07-01")
    yield saved(home, code.turns(2))


@case("session_configured names the model")
def configured_model(home: Path) -> Steps:
    yield saved(home, coded(1).model(GPT_52).turns(2).turns(1, at="12:00"))


@case("session_configured in an earlier sync than the first usage")
def configured_earlier(home: Path) -> Steps:
    code = coded(1).model(GPT_52)
    path = code.save(home)
    yield spent()
    code.turns(2).append_to(path)
    yield spent(code)


@case("info names another model than session_configured")
def info_over_configured(home: Path) -> Steps:
    code = coded(1).model(GPT_52).turns(1)
    yield saved(home, code.naming(requested=GPT_51).turns(2))


@case("requested model changes in mid-session")
def requested_model_changes(home: Path) -> Steps:
    code = coded(1).naming(requested=GPT_52).turns(2).naming(requested=GPT_51).turns(2)
    yield saved(home, code.naming(requested=GPT_52).turns(1))


@case("configured anew for another model when resumed")
def configured_anew(home: Path) -> Steps:
    yield saved(home, coded(1).model(GPT_52).turns(2).resumed().model(GPT_51).turns(2))


@case("names of models that are null, empty or blank")
def names_without_a_name(home: Path) -> Steps:
    nameless = coded(1)
    for names in ({"requested_model": None}, {"latest_response_model": ""}):
        nameless.named = names
        nameless.turns(1)
    answered = coded(2, "2026-08-10T11:14:00").naming(answering=GPT_52)
    answered.named |= {"requested_model": " "}
    yield saved(home, nameless, answered.turns(1))


@case("model named after the first usage of a half-hour")
def model_named_later(home: Path) -> Steps:
    code = coded(1).turns(1).usage(80, 0, 9, 0, at="09:31")
    yield saved(home, code.naming(requested=GPT_52).turns(2))


@case("model named in a later sync of the same half-hour")
def model_named_in_later_sync(home: Path) -> Steps:
    code = coded(1).turns(2)
    path = code.save(home)
    yield spent(code)
    code.naming(requested=GPT_52).turns(1).append_to(path)
    yield spent(code)


@case("two known models and unknown in one half-hour")
def two_known_models(home: Path) -> Steps:
    code = coded(1).usage(700, 100, 20, 10).naming(requested=GPT_52).usage(900, 0, 20, 0)
    yield saved(home, code.naming(requested=GPT_51).usage(4_000, 0, 50, 0))


@case("total falls at a compaction")
def compaction(home: Path) -> Steps:
    yield saved(home, coded(1).turns(3).compacted().turns(3).compacted().turns(1))


@case("total falls when resumed, numbers of submissions start anew")
def resumption(home: Path) -> Steps:
    yield saved(home, coded(1).turns(3).resumed().turns(3).resumed().turns(2, at="14:00"))


@case("resumed days later, in a later sync")
def resumed_days_later(home: Path) -> Steps:
    code = coded(1).turns(3)
    path = code.save(home)
    yield spent(code)
    code.resumed().turns(2, at="2026-08-19T16:40:00").append_to(path)
    yield spent(code)


@case("resumed with a first total above the last one before")
def resumed_above(home: Path) -> Steps:
    """No total falls; what counts is `last`."""
    code = coded(1).usage(1_200, 1_000, 80, 40).resumed()
    yield saved(home, code.usage(30_000, 1_200, 90, 50).usage(31_000, 29_000, 70, 0))


@case("equal totals again after resets")
def equal_numbers_after_reset(home: Path) -> Steps:
    code = equal_turns(coded(1)).resumed()
    yield saved(home, equal_turns(equal_turns(code).compacted()))


@case("equal totals again after a reset, in a later sync")
def equal_numbers_after_reset_later(home: Path) -> Steps:
    code = equal_turns(coded(1))
    path = code.save(home)
    yield spent(code)
    for _ in range(2):
        equal_turns(code.resumed()).append_to(path)
        yield spent(code)


@case("equal totals again after a reset that only a re-send tells")
def reset_and_resend(home: Path) -> Steps:
    code = equal_turns(coded(1)).resend().resumed()
    yield saved(home, equal_turns(code).resend())


@case("total_tokens missing")
def total_missing(home: Path) -> Steps:
    code = coded(1)
    code.shape = without_total
    yield saved(home, code.turns(2).null().turns(1))


@case("total_tokens 0")
def total_zero(home: Path) -> Steps:
    code = coded(1)
    code.shape = zero_total
    yield saved(home, code.turns(2).null().turns(1))


@case("cached larger than input")
def cached_clamped(home: Path) -> Steps:
    yield saved(home, coded(1).usage(1_000, 2_500, 40, 10).usage(0, 30, 5, 0).turns(1))


@case("compaction estimate")
def estimate(home: Path) -> Steps:
    code = coded(1).estimate(2_000).turns(2).estimate(4_100).resend()
    yield saved(home, code.turns(1).estimate(3_900, at="10:10").estimate(3_800).turns(1))


@case("compaction that restarts the total and tells an estimate")
def estimate_after_restart(home: Path) -> Steps:
    code = coded(1).turns(2).compacted().estimate(4_100).turns(2)
    yield saved(home, code.compacted().estimate(3_900).resend().turns(1))


@case("context overflow replaces the total")
def overflow(home: Path) -> Steps:
    yield saved(home, coded(1).turns(2).overflow().turns(1).overflow().resend().resumed().turns(2))


@case("totals only")
def totals_only(home: Path) -> Steps:
    code = coded(1).totals_only(1_200, 1_000, 80, 40).resend()
    code.totals_only(1_500, 900, 60, 0, last_token_usage=None)
    yield saved(home, code.resumed().totals_only(700, 100, 20, 10, at="09:45"))


@case("old name of the cache")
def old_cache_field(home: Path) -> Steps:
    code = coded(1)
    code.shape = old_cache_name
    yield saved(home, code.turns(2))


@case("numbers as strings")
def numbers_as_strings(home: Path) -> Steps:
    code = coded(1)
    code.shape = quoted_numbers
    yield saved(home, code.turns(2).estimate(4_100).turns(1))


@case("the form of Codex throughout")
def codex_form(home: Path) -> Steps:
    code = coded(1)
    code.wrap = event_msg
    yield saved(home, code.null().turns(2).resumed().turns(2))


@case("both forms in one file")
def both_forms(home: Path) -> Steps:
    code = coded(1)
    for wrap in (event_msg, code.event, event_msg, code.event):
        code.wrap = wrap
        code.turns(2).resend()
    yield saved(home, code)


@case("re-send in the other form")
def resend_in_other_form(home: Path) -> Steps:
    code = coded(1).usage(1_200, 1_000, 80, 40)
    code.wrap = event_msg
    code.resend().usage(900, 0, 20, 0)
    code.wrap = code.event
    yield saved(home, code.resend().turns(1))


def resumed_by_codex(code: EveryCode) -> EveryCode:
    """Codex goes on in the file, in its own form and with its own running total."""
    code.wrap, code.named, code.model_name = event_msg, {}, GPT_51
    context = {"turn_id": "t1", "cwd": "/home/u/app", "model": GPT_51, "effort": "medium"}
    return code.resumed().put({"type": "turn_context", "payload": context}, at="15:00")


@case("resumed in Codex")
def resumed_in_codex(home: Path) -> Steps:
    """Its first line says Every Code, so Codex's events are Every Code's too."""
    code = resumed_by_codex(coded(1).naming(requested=GPT_52).turns(2))
    yield saved(home, code.usage(900, 100, 20, 0).resend().usage(950, 900, 30, 5))


@case("resumed in Codex inside its tree, in a later sync, then in Every Code again")
def resumed_to_and_fro(home: Path) -> Steps:
    code = coded(1).inside(".codex").naming(requested=GPT_52).turns(2)
    path = code.save(home)
    yield spent(code)
    resumed_by_codex(code).usage(900, 100, 20, 0).usage(950, 900, 30, 5).append_to(path)
    yield spent(code)
    code.wrap = code.event
    code.resumed().naming(requested=MINI).turns(2, at="16:00").append_to(path)
    yield spent(code)


def spelled(spell: Spelling) -> EveryCode:
    """A session in that spelling, with everything that matters."""
    code = EveryCode(1)
    code.spell = spell
    code.meta().model(GPT_52).null().turns(2).naming(requested=GPT_51).turns(1)
    return code.naming(answering=MINI).turns(1).estimate(4_100)


@case("JSON with spaces")
def json_with_spaces(home: Path) -> Steps:
    yield saved(home, spelled(spaced).inside(".codex"))


@case("JSON with spaces and tabs around everything")
def json_with_tabs(home: Path) -> Steps:
    def spell(record: Record) -> bytes:
        return b" \t" + json.dumps(record, separators=(" ,\t", " : ")).encode()

    yield saved(home, spelled(spell).inside(".codex"))


@case("other key order")
def other_key_order(home: Path) -> Steps:
    yield saved(home, spelled(backwards).inside(".codex"))


@case("every letter escaped")
def every_letter_escaped(home: Path) -> Steps:
    yield saved(home, spelled(escaped).inside(".codex"))


ESCAPES = (
    respelled(b'"event"', rb'"\u0065vent"'),
    respelled(b'"event"', rb'"even\u0074"'),
    respelled(b'"msg"', rb'"\u006dsg"'),
    respelled(b'"token_count"', rb'"\u0074oken_count"'),
    respelled(b'"token_count"', rb'"token\u005Fcount"'),
    respelled(b'"type"', rb'"\u0074ype"'),
    respelled(b'"payload"', rb'"p\u0061yload"'),
    respelled(b'"event_seq"', rb'"event\u005fseq"'),
    respelled(b'"timestamp"', rb'"\u0074imestamp"'),
    respelled(b'"info"', rb'"inf\u006f"'),
    respelled(b'"requested_model"', rb'"requested\u005fmodel"'),
    respelled(b"_token", rb"\u005ftoken"),
)


@case("escaped letters in types and keys")
def escaped_letters(home: Path) -> Steps:
    code = coded(1).naming(requested=GPT_52)
    for spell in ESCAPES:
        code.spell = spell
        code.turns(1)
    yield saved(home, code)


@case("escaped letters in session_meta and session_configured")
def escaped_letters_elsewhere(home: Path) -> Steps:
    code = EveryCode(1).inside(".codex")
    code.spell = respelled(b'"code_cli_rs"', rb'"\u0063ode\u005fcli\u005frs"')
    code.meta()
    code.spell = respelled(b'"session_configured"', rb'"session\u005fconfigured"')
    yield saved(home, code.model(GPT_52).turns(2))


@case("envelopes with an order, with an empty one and with fields of tomorrow")
def envelopes(home: Path) -> Steps:
    code = coded(1)
    order = {"request_ordinal": 3, "output_index": 0, "sequence_number": 41}
    for more in ({"order": order}, {"order": None}, {"source": {"type": "token_count"}}):
        code.order = more
        code.turns(2)
    yield saved(home, code)


@case("counters quoted and nested inside text and tool output")
def quoted_counters(home: Path) -> Steps:
    foreign = coded(9).usage(70_000, 60_000, 5_000, 4_000).entries[-1].record
    code = coded(1).turns(1)
    for record in (foreign, foreign["payload"], foreign["payload"]["msg"], foreign_count()):
        quoted = compact(record).decode()
        result = {"type": "mcp_tool_call_end", "result": {"Ok": {"content": [record]}}}
        code.say(quoted).put(tool_output(quoted)).put(tool_output(record)).put(code.event(result))
    yield saved(home, code.turns(1))


@case("unknown types of records and messages")
def unknown_types(home: Path) -> Steps:
    code = coded(1).turns(1).put({"type": "token_forecast", "payload": {"tokens": 12}})
    code.put(code.event({"type": "token_count_of_tomorrow", "info": {"tokens": 12}}))
    code.put({"type": "event", "payload": None}).put({"type": "event", "payload": {"msg": None}})
    yield saved(home, code.put({"type": "world_state", "payload": {"state": 1}}).turns(1))


BROKEN_EVENT = b'{"timestamp":"2026-08-10T09:15:00.000Z","type":"event","payload":'
BROKEN_EVENTS = (
    BROKEN_EVENT + b'{"id":"1","event_seq":3,"msg":{"type":"token_count","in',
    BROKEN_EVENT + b'{"id":"1","event_seq":3,"msg":"token_count"}}',
    BROKEN_EVENT + b'{"id":"1","event_seq":3,"msg":{"type":"token_count"}}}',
    BROKEN_EVENT + b'{"id":"1","event_seq":3,"msg":{"type":"token_count","info":"none"}}}',
    BROKEN_EVENT + b'{"id":"1","event_seq":3,"msg":{"type":"token_count","info":{}}}}',
    BROKEN_EVENT + b'"token_count"}',
)


@case("broken lines between good ones")
def broken_lines(home: Path) -> Steps:
    code = coded(1)
    for line in (*BROKEN_EVENTS, *BROKEN_LINES):
        code.usage(900 + len(line), 100, 20, 0).raw(line)
    yield saved(home, code.turns(1))


@case("missing timestamp")
def missing_timestamp(home: Path) -> Steps:
    code = coded(1).usage(900, 100, 20, 0, at="09:29:59.999")
    code.usage(950, 900, 30, 0, at="09:31").unstamp()
    code.usage(980, 900, 40, 0, at="09:40").say(at="10:01").usage(990, 900, 40, 0).unstamp()
    yield saved(home, code.turns(1))


@case("half-written last line completed later")
def torn_line(home: Path) -> Steps:
    code = coded(1).turns(1)
    path = code.save(home)
    for keep in (1, 60, 140, -40, -2):
        before = spent(code)
        line = code.usage(900 + keep, 100, 20, 0).unsaved()
        append(path, line[:keep])
        yield before
        append(path, line[keep:])
        yield spent(code)


@case("last line complete but without newline")
def no_final_newline(home: Path) -> Steps:
    code = coded(1).turns(1)
    path = code.save(home)
    append(path, code.usage(900, 100, 20, 0).unsaved()[:-1])
    yield spent(code)
    append(path, b"\n" + code.resend().usage(950, 900, 30, 0).unsaved())
    yield spent(code)


@case("session grows over many syncs")
def grows_over_many_syncs(home: Path) -> Steps:
    code = coded(1)
    path = code.save(home)
    yield spent()
    code.task().null().append_to(path)
    yield spent()
    for step in range(5):
        code.turns(1, at=f"{9 + step // 2:02d}:{20 + step}").append_to(path)
        yield spent(code)


@case("truncated, then the session goes on")
def truncated_goes_on(home: Path) -> Steps:
    code = coded(1).turns(2)
    path = code.save(home)
    kept = path.stat().st_size
    code.turns(2).append_to(path)
    yield spent(code)
    os.truncate(path, kept)
    yield spent(code)
    code.turns(1).append_to(path)
    yield spent(code)


@case("truncated to nothing, then begun anew")
def truncated_to_nothing(home: Path) -> Steps:
    code = coded(1).turns(3)
    path = code.save(home)
    yield spent(code)
    again = coded(1, "2026-08-10T10:20:00").task().usage(700, 100, 20, 10).usage(800, 300, 30, 20)
    write(path, again.content())
    yield spent(code, again)


@case("rewritten in place with the same events between syncs")
def rewritten_in_place(home: Path) -> Steps:
    code = coded(1).turns(3).resumed().turns(2)
    path = code.save(home)
    yield spent(code)
    migrated = [spaced(entry.record | {"migrated": True}) + b"\n" for entry in code.entries]
    write(path, b"".join(migrated))
    yield spent(code)
    code.resumed().turns(2).append_to(path)
    yield spent(code)


@case("replaced by rename with the same content")
def replaced_by_rename(home: Path) -> Steps:
    code = equal_turns(equal_turns(coded(1)).resumed())
    path = code.save(home)
    yield spent(code)
    replace(path, code.content())
    yield spent(code)
    equal_turns(code.resumed()).append_to(path)
    yield spent(code)


@case("file deleted, later restored")
def file_restored(home: Path) -> Steps:
    code = coded(1).turns(3)
    path = code.save(home)
    yield spent(code)
    path.unlink()
    yield spent(code)
    code.turns(1).save(home)
    yield spent(code)


@case("CRLF line ends")
def crlf(home: Path) -> Steps:
    code = coded(1).turns(2)
    path = write(code.save(home), code.content(end=b"\r\n"))
    yield spent(code)
    append(path, code.turns(1).unsaved().replace(b"\n", b"\r\n"))
    yield spent(code)


@case("NUL bytes before lines and at the end")
def nul_bytes(home: Path) -> Steps:
    code = coded(1).turns(3)
    padded = (bytes(60 * n) + entry.line() + b"\n" for n, entry in enumerate(code.entries))
    path = write(code.save(home), b"".join(padded))
    yield spent(code)
    append(path, bytes(4_096))
    yield spent(code)
    code.turns(1).append_to(path)
    yield spent(code)


@case("byte order mark, inside Codex's tree")
def byte_order_mark(home: Path) -> Steps:
    """The first line matters: it tells whose file this is."""
    code = coded(1).inside(".codex").turns(3)
    write(code.save(home), b"\xef\xbb\xbf" + code.content())
    yield spent(code)


@case("a 20 MB line between events")
def huge_line(home: Path) -> Steps:
    code = coded(1).turns(1)
    foreign = compact(coded(9).usage(70_000, 60_000, 5_000, 4_000).entries[-1].record).decode()
    code.put(tool_output(foreign + "iVBORw0KGgo=" * 1_700_000 + foreign))
    yield saved(home, code.turns(2))


@case("huge first line, inside Codex's tree")
def huge_first_line(home: Path) -> Steps:
    code = EveryCode(1).inside(".codex")
    code.meta(base_instructions={"text": "Be kind. code_cli_rs " * 10_000})
    yield saved(home, code.turns(2))


@case("folder .code without sessions")
def no_sessions(home: Path) -> Steps:
    write(home / ".code/config.toml", b'model = "gpt-5.2-codex"\n')
    yield spent()
    yield saved(home, coded(1).turns(1))


@case("files in Codex's tree only")
def in_codex_tree(home: Path) -> Steps:
    codes = [coded(number).inside(".codex").turns(2) for number in (1, 2)]
    yield saved(home, *codes, opened(3).turns(2))


@case("files in both trees")
def in_both_trees(home: Path) -> Steps:
    yield saved(home, coded(1).turns(2), coded(2).inside(".codex").turns(2), opened(3).turns(2))


@case("files of Codex in its own tree")
def codex_file_in_own_tree(home: Path) -> Steps:
    """They are not Every Code's by content, and Codex does not look there: nobody counts them."""
    opened(2).inside(".code").turns(2).save(home)
    yield saved(home, coded(1).turns(1))


@case("every originator but its own in Codex's tree")
def originators_in_codex_tree(home: Path) -> Steps:
    strangers = ("codex_cli_rs", "codex_exec", "Codex Desktop", "code_cli_rs_2", "code_cli", "")
    for number, name in enumerate(strangers, 2):
        Rollout(number).inside(".codex").meta(originator=name).model(MINI).turns(1).save(home)
    yield saved(home, coded(1).naming(requested=MINI).turns(1))


@case("Codex's originators in its own tree")
def codex_originators_in_own_tree(home: Path) -> Steps:
    for number, name in enumerate(("codex_cli_rs", "codex_exec", "Codex Desktop"), 2):
        Rollout(number).inside(".code").meta(originator=name).model(MINI).turns(1).save(home)
    yield saved(home, coded(1).naming(requested=MINI).turns(1))


@case("own rollouts that do not say who wrote them")
def nobodys_in_own_tree(home: Path) -> Steps:
    nameless = EveryCode(2).inside(".code").meta(originator="").turns(2)
    yield saved(home, nameless, coded(1).naming(requested=MINI).turns(1))


@case("session moved from Codex's tree to its own between syncs")
def moved_between_trees(home: Path) -> Steps:
    code = coded(1).inside(".codex").turns(2)
    path = code.save(home)
    yield spent(code)
    target = home / ".code/sessions/2026/08/10" / path.name
    target.parent.mkdir(parents=True)
    path.rename(target)
    yield spent(code)
    code.turns(1).append_to(target)
    yield spent(code)
    target.rename(path)
    yield spent(code)


@case("copies of a session in both trees")
def copied_between_trees(home: Path) -> Steps:
    code = coded(1).turns(2).resumed().turns(1)
    code.save(home)
    yield spent(code)
    code.inside(".codex").save(home)
    yield spent(code)
    code.turns(1).save(home)
    yield spent(code)


@case("own tree is a symlink to Codex's")
def symlinked_tree(home: Path) -> Steps:
    (home / ".codex").mkdir()
    (home / ".code").symlink_to(home / ".codex")
    code = coded(1).turns(2)
    path = code.save(home)
    yield spent(code)
    code.turns(1).append_to(path)
    yield spent(code)


@case("Codex's tree is a symlink to its own")
def symlinked_codex_tree(home: Path) -> Steps:
    (home / ".code").mkdir()
    (home / ".codex").symlink_to(home / ".code")
    codex = opened(2).turns(2)
    yield saved(home, coded(1).turns(2), codex)


@case("symlinked sessions, days and files between the trees")
def symlinks_between_trees(home: Path) -> Steps:
    code = coded(1).turns(2)
    path = code.save(home)
    (home / ".codex/sessions").mkdir(parents=True)
    (home / ".codex/sessions/2026").symlink_to(home / ".code/sessions/2026")
    (home / ".codex/archived_sessions").mkdir()
    (home / ".codex/archived_sessions" / path.name).symlink_to(path)
    (path.parent / f"rollout-link-{session_id(1)}.jsonl").symlink_to(path)
    (home / ".code/sessions/again").symlink_to(home / ".code/sessions")
    yield spent(code)


@case("snapshot.json, catalog.jsonl and other names")
def other_names(home: Path) -> Steps:
    code, other = coded(1).turns(1), coded(2).turns(2)
    for tree in (".code", ".codex"):
        folder = home / tree / "sessions/2026/08/10"
        for ending in (".snapshot.json", ".jsonl.bak", ".jsonl~", ".snapshot.jsonl.tmp"):
            other.save_as(folder / other.name.replace(".jsonl", ending))
        code.save_as(folder / code.name.replace(".jsonl", ".snapshot.json"))
        other.save_as(home / tree / "sessions/index/catalog.jsonl")
        other.save_as(home / tree / "history.jsonl")
        other.save_as(home / tree / "working" / other.name)
    yield saved(home, code)


@case("flat file under sessions/")
def flat_file(home: Path) -> Steps:
    code = coded(1).turns(2)
    code.save(home, "sessions")
    yield spent(code)


@case("archived between syncs")
def archived(home: Path) -> Steps:
    code = coded(1).turns(3)
    path = archive(home, code.save(home), ".code")
    yield spent(code)
    code.resumed().turns(1).append_to(path)
    yield spent(code)


@case("archive copy in Codex's tree")
def archive_copy(home: Path) -> Steps:
    code = coded(1).inside(".codex").turns(3)
    code.save(home, "archived_sessions")
    yield saved(home, code)


@case(".zst only")
def zst_only(home: Path) -> Steps:
    own, shared = coded(1).turns(3), coded(2).inside(".codex").turns(2)
    for code in (own, shared):
        compress(code.save(home))
    yield spent(own, shared)


@case("plain and .zst both at once, then new lines, then .zst only")
def plain_and_zst(home: Path) -> Steps:
    code = coded(1).turns(3)
    path = code.save(home)
    compressed_copy(path)
    yield spent(code)
    code.resumed().turns(2).append_to(path)
    compress(path)
    yield spent(code)


def family(kept: slice = slice(1, None)) -> tuple[EveryCode, EveryCode]:
    """A parent and its fork, which copied those lines of it; both go on for themselves."""
    parent = coded(1).task().null().turns(4)
    child = parent.fork(2, "11:00").copy_head(parent, lines=kept).turns(3)
    return parent.turns(2, at="12:00"), child


@case("fork that copied the whole history")
def fork_whole(home: Path) -> Steps:
    yield saved(home, *family())


@case("fork that copied the whole history with its first line")
def fork_with_meta(home: Path) -> Steps:
    yield saved(home, *family(slice(None)))


@case("fork that copied some turns")
def fork_some(home: Path) -> Steps:
    yield saved(home, *family(slice(1, 11)))


def one_copied(kept: slice) -> tuple[EveryCode, EveryCode]:
    parent = coded(1).task().usage(1_200, 1_000, 80, 40)
    child = parent.fork(2, "11:00").copy_head(parent, lines=kept).turns(2)
    return parent.turns(1), child


@case("fork that copied one event")
def fork_one_event(home: Path) -> Steps:
    yield saved(home, *one_copied(slice(1, None)))


@case("fork that copied one event and the first line")
def fork_one_event_with_meta(home: Path) -> Steps:
    yield saved(home, *one_copied(slice(None)))


@case("fork that copied one event, parent read in an earlier sync")
def fork_one_event_later(home: Path) -> Steps:
    parent, child = one_copied(slice(1, None))
    parent.save(home)
    yield spent(parent)
    child.save(home)
    yield spent(parent, child)


@case("fork that copied no event")
def fork_no_event(home: Path) -> Steps:
    yield saved(home, *family(slice(1, 3)))


@case("fork without turns of its own")
def fork_without_turns(home: Path) -> Steps:
    parent = coded(1).turns(3)
    yield saved(home, parent, parent.fork(2, "11:00").copy_head(parent))


@case("fork whose copying took almost two seconds")
def fork_slow(home: Path) -> Steps:
    parent = coded(1).turns(4)
    child = parent.fork(2, "11:00").copy_head(parent, within=timedelta(seconds=1.8))
    yield saved(home, parent, child.turns(2))


@case("fork whose copies all have the time of its start")
def fork_instantly(home: Path) -> Steps:
    parent = coded(1).turns(4)
    child = parent.fork(2, "11:00").copy_head(parent, within=timedelta(microseconds=1))
    yield saved(home, parent, child.turns(2))


@case("two forks of one parent")
def two_forks(home: Path) -> Steps:
    parent, child = family(slice(1, 9))
    sibling = parent.fork(3, "13:00").copy_head(parent, lines=slice(1, 13)).turns(2)
    yield saved(home, parent, child, sibling)


def three_generations() -> tuple[EveryCode, EveryCode, EveryCode]:
    parent, child = family(slice(1, 15))
    return parent, child, child.fork(3, "14:00").copy_head(child).turns(2)


@case("fork of a fork")
def fork_of_a_fork(home: Path) -> Steps:
    yield saved(home, *three_generations())


@case("fork of a fork, cut within what the first one copied")
def fork_of_a_fork_cut(home: Path) -> Steps:
    parent, child = family()
    grandchild = child.fork(3, "14:00").copy_head(child, lines=slice(1, 9)).turns(2)
    yield saved(home, parent, child, grandchild)


@case("generations of forks appear one by one")
def generations_appear(home: Path) -> Steps:
    generations = three_generations()
    for count, code in enumerate(generations, 1):
        code.save(home)
        yield spent(*generations[:count])


@case("generations of forks appear backwards")
def generations_appear_backwards(home: Path) -> Steps:
    generations = three_generations()
    for first in (2, 1, 0):
        generations[first].save(home)
        yield spent(*generations[first:])


@case("fork that is sorted before its parent")
def fork_sorted_first(home: Path) -> Steps:
    """Local clocks were set back between the two."""
    parent = coded(1, "2026-10-25T00:50:00").turns(4)
    parent.local = moment("2026-10-25T02:50:00")
    child = parent.fork(2, "01:10").copy_head(parent).turns(2)
    child.local = moment("2026-10-25T02:10:00")
    yield saved(home, parent, child)


@case("fork goes on over several syncs, its parent read before")
def fork_grows(home: Path) -> Steps:
    parent = coded(1).turns(4)
    parent.save(home)
    yield spent(parent)
    child = parent.fork(2, "11:00").copy_head(parent)
    path = child.save(home)
    yield spent(parent)
    for _ in range(3):
        child.turns(1).append_to(path)
        yield spent(parent, child)


@case("fork synced in the middle of copying")
def synced_while_copying(home: Path) -> Steps:
    parent, child = family()
    parent.save(home)
    path = child.save(home)
    write(path, lines(entry.record for entry in child.entries[:12]))
    yield spent(parent)
    write(path, child.content())
    yield spent(parent, child)


@case("parent deleted after it was read, before its fork appears")
def parent_deleted(home: Path) -> Steps:
    parent, child = family()
    path = parent.save(home)
    yield spent(parent)
    path.unlink()
    child.save(home)
    yield spent(parent, child)


@case("fork whose parent was never there")
def parent_never_there(home: Path) -> Steps:
    """A burst at the start is a copy, whatever it was copied from."""
    _, child = family()
    yield saved(home, child)


@case("fork in one tree, parent compressed in the archive of the other")
def family_in_two_trees(home: Path) -> Steps:
    parent, child = family()
    compress(archive(home, parent.inside(".codex").save(home)))
    child.save(home)
    yield spent(parent, child)


@case("fork that is resumed and compacted")
def fork_goes_through_resets(home: Path) -> Steps:
    parent, child = family(slice(1, 11))
    yield saved(home, parent, child.resumed().turns(2).compacted().turns(2).resumed().turns(1))


@case("fork of a session that was resumed and compacted")
def fork_of_resets(home: Path) -> Steps:
    parent = equal_turns(coded(1)).resumed()
    equal_turns(parent).compacted().turns(2)
    child = parent.fork(2, "11:00").copy_head(parent).turns(2)
    yield saved(home, parent, equal_turns(child.resumed()))


@case("fork whose own first turns equal those it copied")
def fork_repeats_turns(home: Path) -> Steps:
    parent = equal_turns(coded(1).task())
    child = parent.fork(2, "11:00").copy_head(parent).task()
    yield saved(home, parent, equal_turns(child))


@case("fork whose own first turns equal those it copied, in a later sync")
def fork_repeats_turns_later(home: Path) -> Steps:
    parent = equal_turns(coded(1).task())
    child = parent.fork(2, "11:00").copy_head(parent)
    parent.save(home)
    path = child.save(home)
    yield spent(parent)
    equal_turns(child.task()).append_to(path)
    yield spent(parent, child)


@case("parent and fork go on with equal turns")
def both_go_on_equally(home: Path) -> Steps:
    """The same submission, sequence and numbers on both sides: nothing of it was copied."""
    parent = coded(1).turns(2)
    child = parent.fork(2, "11:00").copy_head(parent)
    for code in (parent.resumed(), child):
        equal_turns(code.task(at="12:00"))
    yield saved(home, parent, child)


@case("fork that names other models than its parent")
def fork_with_models(home: Path) -> Steps:
    parent = coded(1).naming(requested=GPT_52).turns(3)
    child = parent.fork(2, "11:00").copy_head(parent).naming(requested=GPT_51).turns(2)
    yield saved(home, parent, child)


@case("fork of a session of Codex")
def fork_of_codex(home: Path) -> Steps:
    """It copied events in the form of Codex, and no model; they stay Codex's."""
    parent = opened(1).turns(4)
    child = coded(2, "2026-08-10T11:00:00").copy_head(parent, lines=slice(2, None))
    yield saved(home, parent, child.naming(requested=GPT_51).turns(2))


@case("fresh sessions with equal turns")
def equal_sessions(home: Path) -> Steps:
    yield saved(home, *(equal_turns(coded(number).task()) for number in (1, 2, 3)))


@case("fresh sessions with equal turns, one by one")
def equal_sessions_later(home: Path) -> Steps:
    codes = [equal_turns(coded(n, f"2026-08-10T{9 + n:02}:00:00").task()) for n in (1, 2, 3)]
    for count, code in enumerate(codes, 1):
        code.save(home)
        yield spent(*codes[:count])


@case("fresh sessions with equal first turns that differ later")
def equal_first_turns(home: Path) -> Steps:
    yield saved(home, *(equal_turns(coded(number).task()).turns(2) for number in (1, 2)))


@case("fresh sessions with equal turns, and a fork of one of them")
def equal_sessions_and_fork(home: Path) -> Steps:
    first, second = (equal_turns(coded(number).task()) for number in (1, 2))
    child = first.fork(3, "11:00").copy_head(first)
    yield saved(home, first, second, equal_turns(child.task()))


@case("equal turns of Codex at the same time")
def equal_turns_of_codex(home: Path) -> Steps:
    code, codex = equal_turns(coded(1).naming(requested=GPT_51)), equal_turns(opened(2))
    yield saved(home, code.inside(".codex"), codex)
