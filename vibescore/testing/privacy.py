"""What a log says stays in the log (COL-02)."""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec
import pytest

from vibescore.testing.databases import queried
from vibescore.testing.experiments import with_canaries
from vibescore.testing.fields import below, declared, declared_texts, free_content
from vibescore.testing.lab import Lab, Sample
from vibescore.testing.mutations import CANARY, NEW, parsed
from vibescore.testing.readings import records_of
from vibescore.testing.sample_contract import SampleContract
from vibescore.testing.sandbox import Sandbox, files_below
from vibescore.testing.verdicts import check_problems, check_whole, fail

LONGEST_NAME = 200


class PrivacyChecks(SampleContract):
    """What a log says stays in the log (COL-02)."""

    def test_records_declare_no_free_content(self, lab: Lab) -> None:
        """The fields of a record are the allowlist: numbers, times, models, ids (COL-02)."""
        for tree in lab.trees:
            for where, what in free_content(declared(tree.reading.record, tree.head)):
                fail(
                    f"The field {where} of {tree.reading.record.__name__} {what}",
                    "declare the fields that you need of it as a Struct: all others are skipped"
                    " before they become objects",
                )
        for sample in lab.samples:
            _check_texts(sample)
        for sample in lab.databases:
            _check_columns(lab, sample)

    def test_nothing_said_is_kept_or_shown(
        self, lab: Lab, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
    ) -> None:
        """A canary in every string that no record declares turns up nowhere (COL-02)."""
        caplog.set_level(logging.NOTSET)
        sandbox = lab.sandbox(with_canaries(lab))
        before = files_below(sandbox.home)
        capfd.readouterr()
        summary = sandbox.sync()
        output = capfd.readouterr()
        check_problems(sandbox, summary, "With unknown fields and other texts in the samples")
        shown = {"standard output": output.out, "standard error": output.err, "a log": caplog.text}
        _check_silence(sandbox, shown)
        _check_reasons(lab, sandbox.skipped())
        if files_below(sandbox.home) != before:
            fail("A sync changed the home", "a plugin writes no file")
        check_whole(
            lab,
            sandbox,
            "With new fields in every object and other words in every text that is not declared",
            "count by declared fields alone, and let unknown ones be (no forbid_unknown_fields)",
        )


def _check_texts(sample: Sample) -> None:
    """Fail if a declared field of a record holds what somebody said."""
    for text in filter(_is_prose, _texts(sample)):
        fail(
            f"A declared field holds a text of {len(text)} letters that is no name, time or id"
            f" ({sample.path})",
            "declare only numbers, times, models and ids; of JSON inside a database select single"
            " values (json_extract)",
        )


def _check_columns(lab: Lab, sample: Sample) -> None:
    """Fail if a query asks for more than the record declares."""
    names, _ = queried(lab.original.home / sample.path, sample.reading)
    for name in names:
        if not below(declared(sample.reading.record), name):
            fail(
                f"The query for {sample.path} gives the column {name}, which"
                f" {sample.reading.record.__name__} does not declare",
                "select declared fields alone: what is selected is in memory",
            )


def _is_prose(text: str) -> bool:
    """Whether a text looks said rather than named: long, of several lines, of words, or JSON."""
    words = len(text.split()) > 3 and not re.search(r"\d", text)
    return len(text) > LONGEST_NAME or "\n" in text or words or isinstance(parsed(text), dict)


def _check_silence(sandbox: Sandbox, shown: Mapping[str, str]) -> None:
    """Fail if a canary is kept or shown, or anything printed."""
    signs = (CANARY, NEW)
    places = [name for name, text in shown.items() if any(sign in text for sign in signs)]
    kept_in = sandbox.kept()
    places += [name for name, content in kept_in if any(sign.encode() in content for sign in signs)]
    if places:
        fail(
            f"What a log says turned up in {', '.join(places)}",
            "take only declared fields, and put only ids, times, models and counters into state,"
            " Identity and usage; give context.skip a constant text; print and log nothing",
        )
    if printed := [name for name in ("standard output", "standard error") if shown[name]]:
        fail(f"The plugin wrote to {printed[0]}", "print nothing: commands are read by programs")


def _check_reasons(lab: Lab, reasons: Iterable[str]) -> None:
    """Fail if a reason for leaving out quotes a record."""
    for sample in lab.samples:
        for text in _texts(sample):
            for reason in reasons:
                if text in reason and (len(text) > 8 or re.search(r"[\d\s]", text)):
                    fail(
                        f"A reason given to context.skip quotes a record of {sample.path}",
                        "give context.skip a constant text: it is kept, and shown by status",
                    )


def _texts(sample: Sample) -> Iterator[str]:
    """The strings of a sample that are decoded."""
    kinds = declared(sample.reading.record)
    for record in records_of(sample.job, sample.claim):
        yield from declared_texts(msgspec.to_builtins(record), kinds)
