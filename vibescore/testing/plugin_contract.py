"""What holds for every plugin, also for one that reads no logs."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import ClassVar

import pytest

from vibescore.errors import PluginError
from vibescore.model import NotifyTarget, Slot, Timeline, model_name
from vibescore.plugins import LOADED, Plugin, load_plugins, register
from vibescore.testing.sandbox import Sandbox, files_below
from vibescore.testing.verdicts import check_untouched, fail
from vibescore.testing.watch import Watched

HOUR = 1_786_352_400
"""A half-hour to ask about: 2026-08-10T09:00:00Z, in UTC seconds."""

TIMELINES: Mapping[str, Mapping[int, str | None]] = {
    "nothing was used": {},
    "no model is known": {-3600: None, 0: None, 1800: None},
    "a model is known before": {-5400: "ink-1", 0: None},
    "a model is known after": {0: None, 1800: "ink-2"},
    "models are known before and after": {-1800: "ink-1", 0: None, 1800: "ink-2"},
    "the nearest half-hour has no model": {-5400: "ink-1", -1800: None, 0: None},
}
"""Half-hours with usage, in seconds from HOUR, and their models: the same for every source."""


class PluginContract:
    """Checks of a plugin that fills in models or declares where a tool calls us, but reads no logs.

    ``source`` is the name of its entry point. ``plugin`` is its module; without it, the one that is
    installed under that name. ``variables`` are set in its environment, ``{home}`` stands for the
    home directory. A check that does not fit the tool is left out by ``test_… = None``.
    """

    source: ClassVar[str]
    plugin: ClassVar[ModuleType | None] = None
    variables: ClassVar[Mapping[str, str]] = MappingProxyType({})

    @pytest.fixture
    def found(self) -> Watched:
        """The plugin, loaded or not."""
        if self.plugin is not None:
            return Watched.of(register(Plugin(self.source), self.plugin))
        installed = {plugin.name: plugin for plugin in load_plugins([self.source])}
        return Watched.of(installed[self.source])

    @pytest.fixture
    def loaded(self, found: Watched) -> Watched:
        """The plugin; checks that need it wait until it can be loaded."""
        if found.state != LOADED:
            pytest.skip("the plugin cannot be loaded: see test_the_plugin_loads")
        return found

    @pytest.fixture
    def life(self) -> Iterator[ExitStack]:
        """What is closed after the check."""
        with ExitStack() as stack:
            yield stack

    @pytest.fixture
    def empty(self, loaded: Watched, tmp_path: Path, life: ExitStack) -> Sandbox:
        """A computer without any logs."""
        return Sandbox(tmp_path.resolve() / "empty", loaded, self.variables, life)

    def test_the_plugin_loads(self, found: Watched) -> None:
        """Hooks have the names of the hookspecs, and the version is ours (PLG-02, PLG-05)."""
        if found.state != LOADED:
            fail(
                f"The plugin {found.name} is left out: {found.problem}",
                "name the hooks and their arguments as vibescore.hookspecs does, decorate each"
                " with @hookimpl, and install the distribution whose entry point names the module",
            )

    def test_hooks_touch_nothing_of_the_computer(self, loaded: Watched, empty: Sandbox) -> None:
        """A plugin opens no file and reads no environment: the host does."""
        self.exercise(loaded, empty)
        check_untouched(loaded.deeds)

    def exercise(self, plugin: Watched, sandbox: Sandbox) -> None:
        """Call every hook."""
        sandbox.sync()
        with suppress(PluginError):
            plugin.notify_target(sandbox.environment)
            answers(plugin, TIMELINES)

    def test_backfill_answers_follow_from_the_timeline(self, loaded: Watched) -> None:
        """A model or None, the same whenever it is asked (BKF-05, BKF-08)."""
        if "vibescore_backfill_model" not in loaded.hooks:
            pytest.skip("the plugin has no vibescore_backfill_model")
        try:
            first, again = answers(loaded, TIMELINES), answers(loaded, reversed(list(TIMELINES)))
        except PluginError as error:
            fail(
                f"{error} ({'; '.join(loaded.causes)})",
                "answer a text or None, whatever the timeline holds: nearest() and dominant() may"
                " be None",
            )
        for name, model in first.items():
            if model is not None and model_name(model) != model:
                fail(
                    f"vibescore_backfill_model answers {model!r} when {name}",
                    "answer the name of a model, trimmed, or None when there is none to be had",
                )
            if model != again[name]:
                fail(
                    f"vibescore_backfill_model answers {model!r} when {name}, and {again[name]!r}"
                    " when it is asked again",
                    "let the answer follow from slot and timeline alone: remember nothing, and"
                    " read no clock",
                )

    def test_the_notify_target_lies_in_the_home(self, loaded: Watched, empty: Sandbox) -> None:
        """Where the tool is told to call us: declared, not written (NTF-01, NTF-06, NTF-08)."""
        try:
            declared = loaded.notify_target(empty.environment)
        except PluginError as error:
            fail(f"{error} ({'; '.join(loaded.causes)})", "give a NotifyTarget or None")
        if files_below(empty.home):
            fail(
                "vibescore_notify_target wrote into the home",
                "only name the file: the host edits it, chains what was there, and restores it",
            )
        if declared is not None:
            _check_target(declared, empty.home)


def answers(plugin: Watched, names: Iterable[str]) -> dict[str, str | None]:
    """The plugin's model for HOUR, by timeline; raises PluginError."""
    return {
        name: plugin.backfill_model(Slot(plugin.name, HOUR), _timeline(TIMELINES[name]))
        for name in names
    }


def _timeline(models: Mapping[int, str | None]) -> Timeline:
    starts = [HOUR + seconds for seconds in sorted(models)]
    return Timeline(lambda _: starts.copy(), lambda slot: models.get(slot.start - HOUR))


def _check_target(declared: NotifyTarget, home: Path) -> None:
    config = declared.config
    if home not in Path(config).parents:
        fail(
            f"NotifyTarget.config is {config}, which does not lie in the home that env names",
            "build it from env.home or env.directory(variable)",
        )
    ending = ".toml" if declared.hook is None else ".json"
    if config.suffix != ending or declared.hook == "":
        fail(
            f"NotifyTarget.config is {config.name} with hook={declared.hook!r}",
            "name a .toml file with a top-level notify command, or a .json file and the event of"
            " the hook in it",
        )
