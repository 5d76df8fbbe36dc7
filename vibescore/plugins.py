"""Loading plugins and calling them, each in isolation (PLG-01, PLG-02).

Every plugin has a pluggy manager of its own, so that no mistake of one can reach another.
"""

import importlib
import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pluggy
from msgspec import Struct

from vibescore import hookspecs
from vibescore.errors import PluginError
from vibescore.hookspecs import API_VERSION, GROUP
from vibescore.model import (
    Copy,
    Document,
    Environment,
    Identity,
    Lines,
    Mark,
    NotifyTarget,
    ParseContext,
    Rows,
    RunningTotal,
    Slot,
    Timeline,
    Tree,
    Usage,
    UsageEvent,
)
from vibescore.snapshot import installation, remembered

LOADED = "loaded"
FAILED = "failed"
INCOMPATIBLE = "incompatible"
NOT_SELECTED = "not selected"

Trace = Callable[[str], None]
Answer = TypeVar("Answer")


class Plugin(Struct):
    """One source: what it is, whether it could be loaded, and its hooks.

    ``file`` is that of its module. ``problem`` says in one sentence why it is not in use. Every
    call raises PluginError when the plugin does, or when it answers with something the hook does
    not allow.
    """

    name: str
    distribution: str = ""
    version: str = ""
    file: str = ""
    state: str = LOADED
    problem: str = ""
    hooks: Mapping[str, pluggy.HookCaller] = {}
    trace: Trace | None = None

    def discover(self, env: Environment) -> list[Tree]:
        trees = self._items("discover", Tree, "vibescore_discover", env=env)
        for tree in trees:
            self._check("discover", check_tree, tree)
        self._check("discover", check_apart, trees)
        return trees

    def identify(self, path: Path, head: Any, tree: Tree) -> Identity | None:
        """Whose session the file is; a plugin without the hook takes each file for a session of
        its own.
        """
        if "vibescore_identify" not in self.hooks:
            return Identity(path.name)
        found = self._answer(
            "identify", Identity, "vibescore_identify", path=path, head=head, tree=tree
        )
        if found:
            self._check("identify", check_identity, found)
        return found

    def parse(self, records: Iterable[Any], context: ParseContext) -> list[Usage]:
        kinds = (UsageEvent, RunningTotal, Copy, Mark)
        return self._items("parse", kinds, "vibescore_parse", records=records, context=context)

    def backfill_model(self, slot: Slot, timeline: Timeline) -> str | None:
        model = self._answer(
            "backfill", str, "vibescore_backfill_model", slot=slot, timeline=timeline
        )
        if model:
            self._check("backfill", str.encode, model)
        return model

    def notify_target(self, env: Environment) -> NotifyTarget | None:
        return self._answer("declare notify", NotifyTarget, "vibescore_notify_target", env=env)

    def _check(self, stage: str, check: Callable[[Any], object], answer: object) -> None:
        try:
            check(answer)
        except (TypeError, ValueError, re.error) as error:
            raise PluginError(self.name, stage, f"its answer cannot be used: {error}") from error

    def _items(self, stage: str, kind: Any, hook: str, **arguments: Any) -> list[Any]:
        items = self._call(stage, hook, list, arguments) or []
        for item in items:
            if not isinstance(item, kind):
                raise PluginError(self.name, stage, f"{hook} gave a {type(item).__name__}")
        return items

    def _answer(self, stage: str, kind: type[Answer], hook: str, **arguments: Any) -> Answer | None:
        answer = self._call(stage, hook, lambda answer: answer, arguments)
        if answer is None or isinstance(answer, kind):
            return answer
        raise PluginError(self.name, stage, f"{hook} gave a {type(answer).__name__}")

    def _call(
        self, stage: str, hook: str, consume: Callable[[Any], Any], arguments: dict[str, Any]
    ) -> Any:
        """What the hook answers, None without it. Consumed in here, because generators fail
        late.
        """
        if hook not in self.hooks:
            return None
        started = time.perf_counter()
        try:
            answers = self.hooks[hook](**arguments)
            answer = consume(answers[0]) if answers else None
        except (Exception, SystemExit) as error:
            self._tell(hook, started, f"raised {type(error).__name__}")
            raise PluginError(self.name, stage, f"it raised {type(error).__name__}") from error
        self._tell(hook, started, f"gave {len(answer)}" if isinstance(answer, list) else "answered")
        return answer

    def _tell(self, hook: str, started: float, outcome: str) -> None:
        if self.trace:
            spent = (time.perf_counter() - started) * 1000
            self.trace(f"plugin {self.name}: {hook} {outcome} ({spent:.2f} ms)")


class Entry(NamedTuple):
    """An entry point: the name of the source, the module, and who installed it."""

    name: str
    module: str
    distribution: str
    version: str


def load_plugins(
    selected: Iterable[str] | None = None,
    *,
    snapshot: Path | None = None,
    trace: Trace | None = None,
) -> list[Plugin]:
    """Every installed plugin by name, loaded or with the reason why not.

    ``selected`` names the ones to use (None: all). ``trace`` gets a line for every hook call,
    without content. ``snapshot`` is the file that remembers what is installed, if any.
    """
    wanted = None if selected is None else set(selected)
    plugins: dict[str, Plugin] = {}
    for entry in installed(snapshot):
        plugin = _load(entry, wanted)
        plugin.trace = trace
        if entry.name in plugins:
            plugin = _clash(plugins[entry.name], plugin)
        plugins[entry.name] = plugin
    for name in (wanted or set()) - plugins.keys():
        plugins[name] = Plugin(name, state=FAILED, problem="no such plugin is installed")
    return sorted(plugins.values(), key=lambda plugin: plugin.name)


def installed(snapshot: Path | None) -> list[Entry]:
    """The entry points of all installed distributions.

    Finding them takes longer than a sync with nothing new, so they are looked up only after
    something was installed or removed.
    """
    known = remembered(snapshot, installation(), _look_up) if snapshot else _look_up()
    return [Entry(*entry) for entry in known]


def _look_up() -> list[list[str]]:
    from importlib.metadata import entry_points

    return [
        [entry.name, entry.value, entry.dist.name, entry.dist.version]
        for entry in entry_points(group=GROUP)
        if entry.dist is not None
    ]


def _load(entry: Entry, wanted: set[str] | None) -> Plugin:
    plugin = Plugin(entry.name, entry.distribution, entry.version)
    if wanted is not None and entry.name not in wanted:
        plugin.state = NOT_SELECTED
        return plugin
    try:
        module = _imported(entry.module)
        plugin.file = sys.modules[entry.module.partition(":")[0].strip()].__file__ or ""
        return register(plugin, module)
    except (Exception, SystemExit) as error:
        plugin.state, plugin.hooks = FAILED, {}
        plugin.problem = f"importing it raised {type(error).__name__}: {error}"
        return plugin


def _imported(name: str) -> Any:
    """What an entry point means: a module, or after a colon something in it."""
    module, _, inside = name.partition(":")
    found: Any = importlib.import_module(module.strip())
    for attribute in filter(None, inside.strip().split(".")):
        found = getattr(found, attribute)
    return found


def _clash(first: Plugin, second: Plugin) -> Plugin:
    first.state, first.hooks = FAILED, {}
    first.problem = f"both {first.distribution} and {second.distribution} provide it: uninstall one"
    return first


def notify_targets(plugins: Iterable[Plugin], env: Environment) -> dict[str, NotifyTarget]:
    """Where tools can be told to call us, by source; what a plugin fails to declare is left out."""
    targets = {}
    for plugin in plugins:
        with suppress(PluginError):
            if target := plugin.notify_target(env):
                targets[plugin.name] = target
    return targets


def make_plugin_manager() -> pluggy.PluginManager:
    """A pluggy manager that knows our hooks and no plugin."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    return manager


def register(plugin: Plugin, module: Any) -> Plugin:
    """Give ``plugin`` the hooks of a module; a module with a mistake is left out, and the mistake
    named.
    """
    api = getattr(module, "vibescore_api", API_VERSION)
    if api != API_VERSION:
        older = isinstance(api, int) and api < API_VERSION
        plugin.state = INCOMPATIBLE
        plugin.problem = (
            f"it was written for version {api} of the hooks, this vibescore has {API_VERSION}: "
            f"upgrade {'the plugin' if older else 'vibescore'}"
        )
        return plugin
    manager = make_plugin_manager()
    try:
        manager.register(module, name=plugin.name)
        manager.check_pending()
        plugin.hooks = {caller.name: caller for caller in manager.get_hookcallers(module) or ()}
        _check_hooks(module, plugin.hooks)
    except (pluggy.PluginValidationError, ValueError) as error:
        plugin.state, plugin.problem, plugin.hooks = FAILED, " ".join(str(error).split()), {}
    return plugin


def check_tree(tree: Any) -> None:
    """Raise TypeError or ValueError for a tree that cannot be read."""
    reading = tree.reading
    if not isinstance(tree.root, Path):
        raise TypeError("Tree.root is not a Path")
    if not isinstance(tree.pattern, str) or not tree.pattern:
        raise TypeError("Tree.pattern is not a text")
    if not isinstance(reading, Lines | Document | Rows):
        raise TypeError("Tree.reading is neither Lines nor Document nor Rows")
    for kind in filter(None, (reading.record, reading.state, tree.head)):
        if not (isinstance(kind, type) and issubclass(kind, Struct)):
            raise TypeError("record, state and head are msgspec structs")
    if not isinstance(tree.in_order, bool):
        raise TypeError("Tree.in_order is neither true nor false")
    reading.state()
    re.compile(reading.skip or b"" if isinstance(reading, Lines) else b"")


def check_apart(trees: list[Tree]) -> None:
    """Raise ValueError if trees share files, of which only the first could read any."""
    places = [(tree.root, tree.pattern) for tree in trees]
    for root, pattern in places:
        if places.count((root, pattern)) > 1:
            raise ValueError(f"two trees are {root.name}/{pattern}: one query can read two tables")


def check_identity(identity: Any) -> None:
    """Raise TypeError or ValueError for a session that cannot be named."""
    if not isinstance(identity.key, str) or not identity.key:
        raise TypeError("Identity.key is not a text")
    if not isinstance(identity.parent, str | None):
        raise TypeError("Identity.parent is not a text")
    (identity.key + (identity.parent or "")).encode()


def _check_hooks(module: Any, hooks: Mapping[str, pluggy.HookCaller]) -> None:
    """What pluggy does not notice: forgotten decorators, and hooks that make no sense alone."""
    for name in dir(module):
        if name.startswith("vibescore_") and hasattr(hookspecs, name) and name not in hooks:
            raise ValueError(f"{name} is not decorated with @hookimpl")
    if not hooks:
        raise ValueError("it implements no hook")
    if "vibescore_discover" in hooks and "vibescore_parse" not in hooks:
        raise ValueError("it has vibescore_discover but no vibescore_parse")
