"""What there is to read: which files changed, whose they are, and in which order."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from vibescore.discover import COMPRESSED, Found, covers, stand
from vibescore.errors import PluginError
from vibescore.model import Environment, Identity, Lines, Rows, Tree
from vibescore.plugins import Plugin
from vibescore.reader import read_head, tail_hash
from vibescore.store import FileRow, Store
from vibescore.survey import Place


class Problem(Struct, frozen=True):
    """Something that was left out, for diagnostics: whose it is, where (may be empty), and what
    happened.
    """

    source: str
    path: str
    what: str


class Claim(Struct, frozen=True):
    """A plugin's claim to the files of a tree."""

    plugin: Plugin
    tree: Tree


class Ground(Struct, frozen=True):
    """Files that are claimed together: a real directory, a pattern, and the claims by name of the
    plugin.

    ``signature`` names all plugins with their rules: when it changes, whose the files are is asked
    again. It is the same for all grounds, because links may lead to a file from several.
    """

    root: str
    pattern: str
    claims: tuple[Claim, ...]
    signature: str

    @property
    def place(self) -> Place:
        sources = [claim.plugin.name for claim in self.claims]
        is_database = any(isinstance(claim.tree.reading, Rows) for claim in self.claims)
        return Place(self.root, self.pattern, sources, is_database)

    def claim_of(self, source: str) -> Claim | None:
        return next((claim for claim in self.claims if claim.plugin.name == source), None)


class Job(Struct):
    """A file to read, from ``row.position`` on; the ``row`` of one that ``is_new`` has no id yet.

    ``vanished`` are earlier readings of content that is gone; ``forgotten`` is the reading that
    this one counts again. Without ``claim`` the file is nobody's. ``ancestors`` and ``complete``
    are those of ParseContext.
    """

    found: Found
    row: FileRow
    claim: Claim | None
    vanished: list[FileRow] = []
    forgotten: FileRow | None = None
    ancestors: tuple[str, ...] = ()
    complete: bool = True
    is_new: bool = False

    @property
    def size(self) -> int:
        """How many bytes there are to read."""
        if self.claim is None or not isinstance(self.claim.tree.reading, Lines):
            return self.found.size
        return self.found.size - (self.row.position or 0)


class Plan(Struct):
    """Where was looked, how many files were found, the jobs in order, and what could not be looked
    at.
    """

    grounds: list[Ground] = []
    files: int = 0
    jobs: list[Job] = []
    problems: list[Problem] = []


def make_plan(store: Store, plugins: Iterable[Plugin], env: Environment, *, rebuild: bool) -> Plan:
    """Every file that changed since it was read, or all of them to ``rebuild``; parents before
    their forks.
    """
    plan = Plan()
    planner = _Planner(store, plan, rebuild=rebuild)
    plan.grounds = list(_grounds(plugins, env, plan))
    for ground in plan.grounds:
        for found, has_changed in store.survey(ground.place, ground.signature):
            plan.files += 1
            if has_changed or rebuild:
                planner.look_at(found, ground)
    planner.recount_forks(plan.grounds)
    plan.jobs = list(planner.jobs.values())
    ancestry = _Ancestry(store, plan.jobs)
    for job in plan.jobs:
        job.is_new = not job.row.id
        job.ancestors, job.complete = ancestry.of(job.row)
    plan.jobs.sort(key=_turn)
    return plan


def _grounds(plugins: Iterable[Plugin], env: Environment, plan: Plan) -> Iterator[Ground]:
    """The trees of all plugins; those that several plugins declare are one ground."""
    claims: dict[tuple[str, str], list[Claim]] = {}
    for plugin in plugins:
        try:
            for tree in plugin.discover(env):
                place = (os.path.realpath(tree.root), tree.pattern)
                claims.setdefault(place, []).append(Claim(plugin, tree))
        except PluginError as error:
            plan.problems.append(Problem(plugin.name, "", str(error)))
    everybody = [claim for claimed in claims.values() for claim in claimed]
    rules = sorted({f"{claim.plugin.name} {claim.tree.rules_version}" for claim in everybody})
    for (root, pattern), claimed in claims.items():
        yield Ground(root, pattern, tuple(claimed), ", ".join(rules))


class _Ancestry:
    """Which session was forked from which, among those about to be read and those read before."""

    def __init__(self, store: Store, jobs: list[Job]) -> None:
        self._store = store
        self._parents = {(job.row.source, job.row.key): job.row.parent for job in jobs if job.claim}

    def of(self, row: FileRow) -> tuple[tuple[str, ...], bool]:
        """The known chain of ancestors, nearest first, and whether it ends in a session without
        parent.

        A parent that was never met is the last of the chain.
        """
        chain: list[str] = []
        parent = row.parent
        while parent and parent not in chain and parent != row.key:
            chain.append(parent)
            known, parent = self._parent_of(row.source, parent)
            if not known:
                return tuple(chain), False
        return tuple(chain), True

    def _parent_of(self, source: str, key: str) -> tuple[bool, str | None]:
        if (source, key) not in self._parents:
            readings = self._store.readings(source, key)
            if not readings:
                return False, None
            self._parents[source, key] = readings[-1].parent
        return True, self._parents[source, key]


class _Planner:
    def __init__(self, store: Store, plan: Plan, *, rebuild: bool) -> None:
        self.jobs: dict[str, Job] = {}
        self._store = store
        self._is_first = not store.knows_files()
        self._rebuild = rebuild
        self._plan = plan

    def look_at(self, found: Found, ground: Ground) -> None:
        """Add a job for the file if there is anything to do."""
        job = self.jobs.get(found.path)
        if job is not None and job.claim:
            return
        row = None if self._is_first else self._store.file_at(found.path)
        if row is not None and row.source and ground.claim_of(row.source) is None:
            return
        try:
            same = row is not None and row.claims == ground.signature and not self._rebuild
            self.jobs[found.path] = self._job(found, row, ground, same=same)
        except (OSError, PluginError) as error:
            self._plan.problems.append(Problem(_source(row, ground), found.path, _what(error)))

    def _job(self, found: Found, row: FileRow | None, ground: Ground, *, same: bool) -> Job:
        claim = ground.claim_of(row.source) if row is not None and same else None
        if row is not None and claim and _goes_on(row, found, claim.tree):
            return Job(found, row, claim)
        claim, identity = self._identify(found, ground)
        new = FileRow(0, "", found.path, "", claims=ground.signature, inode=found.inode)
        if row is not None and not row.source:
            new.id, row = row.id, None
        if claim is None or identity is None:
            return Job(found, new, None, vanished=[row] if row else [])
        new.source, new.key, new.parent = claim.plugin.name, identity.key, identity.parent
        new.rules_version = claim.tree.rules_version
        if row is None:
            return self._first_reading(found, new, claim)
        if not (_unchanged(row, found) or _goes_on(row, found, claim.tree)):
            return Job(found, new, claim, vanished=[row])
        if self._rebuild or (row.source, row.rules_version) != (new.source, new.rules_version):
            return Job(found, new, claim, forgotten=row)
        row.claims = new.claims
        return Job(found, row, claim)

    def _first_reading(self, found: Found, new: FileRow, claim: Claim) -> Job:
        """A path met for the first time; the file may have been there before under another
        (archive, zstd).
        """
        if self._is_first:
            return Job(found, new, claim)
        gone = [
            row
            for row in self._store.readings(new.source, new.key)
            if row.path and not os.path.exists(row.path)
        ]
        for row in gone:
            moved = replace(row, path=found.path, inode=found.inode, claims=new.claims)
            same_rules = row.rules_version == new.rules_version and not self._rebuild
            if same_rules and _same_content(moved, found, claim.tree):
                return Job(found, moved, claim)
        return Job(found, new, claim, vanished=gone)

    def _identify(self, found: Found, ground: Ground) -> tuple[Claim | None, Identity | None]:
        """The first plugin that says the file is its own."""
        for claim in ground.claims:
            whole, head = read_head(found.path, claim.tree)
            identity = claim.plugin.identify(Path(found.path), head, claim.tree) if whole else None
            if identity is not None:
                return claim, identity
        return None, None

    def recount_forks(self, grounds: list[Ground]) -> None:
        """Forks that were read before their parent was known have to be counted again, knowing
        it.
        """
        if self._is_first:
            return
        new = [
            (job.row.source, job.row.key)
            for job in self.jobs.values()
            if job.claim and not job.row.id
        ]
        arrived = [key for key in new if not self._store.readings(*key)]
        going_on = {job.row.id: job for job in self.jobs.values() if job.row.id}
        for source, key in arrived:
            for row in self._store.forks(source, key):
                if (source, row.key) not in arrived:
                    arrived.append((source, row.key))
                job = going_on.get(row.id) or self._job_at(row, grounds)
                if job is not None:
                    self.jobs[job.found.path] = _again(job)

    def _job_at(self, row: FileRow, grounds: list[Ground]) -> Job | None:
        """A job for an unchanged file; None if it is gone, or read from its start anyway."""
        path = row.path
        found = stand(path) if path and path not in self.jobs else None
        if path is None or found is None:
            return None
        ground = next((each for each in grounds if covers(each.root, each.pattern, path)), None)
        claim = ground.claim_of(row.source) if ground else None
        return Job(found, row, claim) if claim else None


def _turn(job: Job) -> tuple[int, str]:
    """Parents come before their forks; where no link tells which is which, names do."""
    in_order = job.claim is not None and job.claim.tree.in_order
    return len(job.ancestors), os.path.basename(job.found.path) if in_order else ""


def _again(job: Job) -> Job:
    """A job that counts the file again which the given one would read on."""
    new = replace(
        job.row, id=0, path=job.found.path, position=None, tail=None, state=None, skips={}
    )
    return replace(job, row=new, forgotten=job.row)


def _unchanged(row: FileRow, found: Found) -> bool:
    return (row.size, row.mtime, row.inode) == (found.size, found.mtime, found.inode)


def _goes_on(row: FileRow, found: Found, tree: Tree) -> bool:
    """Whether the file only grew behind what was read: a file that was touched but did not grow
    was rewritten.
    """
    if isinstance(tree.reading, Rows):
        return row.inode == found.inode
    return found.size > row.size and _same_content(row, found, tree)


def _same_content(row: FileRow, found: Found, tree: Tree) -> bool:
    """Whether what was read of a plain log still stands before ``row.position``."""
    if not isinstance(tree.reading, Lines) or found.path.endswith(COMPRESSED):
        return False
    position = row.position or 0
    return (
        row.tail is not None
        and found.size >= position
        and tail_hash(found.path, position) == row.tail
    )


def _source(row: FileRow | None, ground: Ground) -> str:
    return row.source if row and row.source else ground.claims[0].plugin.name


def _what(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"cannot be read: {error.strerror or error}"
    return str(error)
