"""Reading on: logs grow, are written again, and vanish between two syncs."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from vibescore.testing.databases import queried
from vibescore.testing.experiments import fates, first_bad_cut, together, with_rows_up_to
from vibescore.testing.lab import Lab, Sample
from vibescore.testing.mutations import cuts_anywhere, cuts_behind_lines, shuffled, some, versions
from vibescore.testing.readings import readers
from vibescore.testing.sample_contract import SampleContract
from vibescore.testing.verdicts import check_problems, check_state, check_whole, fail

FILES_TRIED = 8


class GrowingChecks(SampleContract):
    """Reading on: logs grow, are written again, and vanish between two syncs."""

    def test_a_log_may_be_cut_anywhere(self, lab: Lab) -> None:
        """Any split of a log into syncs counts what the whole does (COL-01)."""
        if not lab.logs:
            pytest.skip("no sample has one record a line")
        for where, cuts in (("behind lines", cuts_behind_lines), ("anywhere", cuts_anywhere)):
            sandbox = lab.sandbox()
            for sample in lab.samples:
                ends = cuts(sample.content) if sample.is_log else [len(sample.content)]
                for end in ends:
                    sandbox.put(sample.path, sample.content[:end])
                    check_problems(sandbox, sandbox.sync(), f"With {sample.path} up to byte {end}")
            if wrong := lab.difference(sandbox.totals()):
                fail(
                    f"When logs are read piece by piece, cut {where}, {wrong}",
                    f"{first_bad_cut(lab)}put what has to be remembered from one record to the"
                    " next into context.state, declared as Lines(record, state=…)",
                )

    def test_versions_of_a_document_may_come_in_any_order(self, lab: Lab) -> None:
        """A document that is written again counts what its fullest version does (COL-05)."""
        if not lab.documents:
            pytest.skip("no sample is a document")
        for order in (list, shuffled):
            sandbox = lab.sandbox(lab.files)
            for sample in lab.documents:
                sandbox.remove(sample.path)
                for version in order(versions(sample.content)):
                    sandbox.put(sample.path, version)
                    check_problems(sandbox, sandbox.sync(), f"With a version of {sample.path}")
            check_whole(
                lab,
                sandbox,
                "When documents are met in several versions",
                "give what a document lists ids that stay when it is written again: no places in"
                " the list, no counts of what else there is",
            )

    def test_a_database_may_be_read_in_steps(self, lab: Lab) -> None:
        """Any cut by ``:since`` counts what the whole does (COL-01)."""
        if not lab.databases:
            pytest.skip("no sample is a database")
        for sample in lab.databases:
            names, rows = queried(lab.original.home / sample.path, sample.reading)
            _check_order(sample, names, rows)
            for count in some(list(range(1, len(rows)))):
                _check_steps(lab, sample, count)

    def test_the_state_survives_serialisation(self, lab: Lab) -> None:
        """The next sync finds the state as it was left (QUE-01)."""
        for job, new_reader in readers(lab.jobs):
            reader = new_reader()
            for number, record in enumerate(reader.records, 1):
                reader.feed(record)
                check_state(reader.context.state, f"{Path(job.found.path).name}, record {number}")

    def test_nothing_is_remembered_outside_the_state(self, lab: Lab) -> None:
        """Two readings of a log at once tell what one does."""
        for job, new_reader in readers(lab.jobs):
            alone = new_reader()
            wanted = [alone.feed(record) for record in alone.records]
            if together(new_reader(), new_reader()) != [wanted, wanted]:
                fail(
                    f"Two readings of {Path(job.found.path).name} at once tell other usage than"
                    " one after the other",
                    "keep nothing in the module, in defaults of arguments or in caches: only"
                    " context.state is there when the next sync reads on",
                )

    def test_a_file_replaced_or_shrunk_takes_nothing_away(self, lab: Lab) -> None:
        """Whatever becomes of a log, what was used stays used, once (COL-01)."""
        for sample in some(lab.samples, FILES_TRIED):
            sandbox = lab.sandbox(lab.files)
            for what in fates(sandbox, sample):
                check_problems(sandbox, sandbox.sync(), f"When {sample.path} {what}")
                check_whole(
                    lab,
                    sandbox,
                    f"When {sample.path} {what}",
                    "make ids of what stays the same in the log, and take nothing back (Copy) but"
                    " what proved to be copied from an ancestor",
                )


def _check_order(sample: Sample, names: list[str], rows: list[tuple[Any, ...]]) -> None:
    first = [row[0] for row in rows]
    if any(after < before for before, after in pairwise(first)):
        fail(
            f"The query for {sample.path} is not in the order of its first column, {names[0]}",
            f"end it with ORDER BY {names[0]}: the next sync asks for what lies behind the last",
        )


def _check_steps(lab: Lab, sample: Sample, count: int) -> None:
    sandbox = lab.sandbox(lab.files)
    sandbox.sync(plugin=lab.plugin.altered(with_rows_up_to(count, sample)))
    sandbox.touch(sample.path)
    check_problems(sandbox, sandbox.sync(), f"With {sample.path} read in two steps")
    check_whole(
        lab,
        sandbox,
        f"With row {count} of {sample.path} written before one sync and the others before the next",
        "let the query give what lies behind :since in its first column, or all when it is NULL;"
        " where several rows may have the same value there, ask for >= :since",
    )
