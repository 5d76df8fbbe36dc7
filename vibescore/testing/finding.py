"""Where logs are, and whose: what is declared is there, and nothing else is taken."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from vibescore.errors import PluginError
from vibescore.model import Environment
from vibescore.testing.lab import Lab
from vibescore.testing.mutations import fitting, foreign
from vibescore.testing.sample_contract import SampleContract
from vibescore.testing.sandbox import Sandbox, environment, files_below
from vibescore.testing.verdicts import check_problems, fail
from vibescore.testing.watch import Watched

SIDE_FILES = ("-wal", "-journal")


class FindingChecks(SampleContract):
    """Where logs are, and whose: what is declared is there, and nothing else is taken."""

    def test_an_empty_home_is_nothing_to_read(self, empty: Sandbox) -> None:
        """Nothing there: nothing found, nothing raised, nothing made."""
        summary = empty.sync()
        check_problems(empty, summary, "On an empty home")
        if summary.files or files_below(empty.home):
            fail(
                f"In an empty home {summary.files} log files were found, and"
                f" {len(files_below(empty.home))} files are in it afterwards",
                "declare trees below env.home or env.directory(variable), and create nothing",
            )

    def test_trees_lie_where_the_environment_says(self, loaded: Watched, tmp_path: Path) -> None:
        """Another home, other trees (PLG-01)."""
        places = []
        for name in ("one", "other"):
            env = environment(tmp_path.resolve() / name, self.variables)
            places.append(set(_places(loaded, env)))
        if places[0] != places[1]:
            fail(
                "vibescore_discover answers otherwise for another home directory: "
                + ", ".join(sorted(map(str, places[0] ^ places[1]))),
                "let the trees follow from env alone",
            )

    def test_the_samples_are_read(self, untried: Lab) -> None:
        """Without a problem, and there is usage in them."""
        try:
            told = untried.told()
        except PluginError as error:
            fail(str(error), "let vibescore_parse cope with what the tool writes")
        summary = untried.original.sync()
        check_problems(untried.original, summary, "With the samples as they are")
        for problem in summary.problems:
            fail(
                f"The sample {Path(problem.path).name} is left out: {problem.what}",
                "let the samples be whole: the kit damages them itself",
            )
        if not untried.original.totals():
            events = sum(each.counted is not None for file in told for each in file)
            fail(
                f"The samples show nothing: {len(untried.samples)} files recognised, {events} usage"
                " events, no tokens",
                "put logs with usage below home, as they lie in a user's home directory, and"
                " declare their trees in vibescore_discover",
            )

    def test_every_sample_is_recognised(self, lab: Lab) -> None:
        """No file is passed over, and none taken that is another tool's."""
        recognised = {sample.path for sample in lab.samples}
        for path in lab.files:
            is_foreign = any(fnmatchcase(path, pattern) for pattern in self.foreign)
            if path not in recognised and not is_foreign and not path.endswith(SIDE_FILES):
                fail(
                    f"The sample {path} is not read",
                    "let a tree match it and vibescore_identify recognise it; if it is there to"
                    " show that it is not yours, name it in `foreign`",
                )
            if path in recognised and is_foreign:
                fail(
                    f"The sample {path} is recognised although `foreign` names it",
                    "let vibescore_identify answer None for what another tool wrote",
                )

    def test_every_tree_has_a_sample(self, lab: Lab) -> None:
        """What is declared is shown."""
        sampled = [(sample.tree.root, sample.tree.pattern) for sample in lab.samples]
        for tree in lab.trees:
            if (tree.root, tree.pattern) not in sampled:
                root = tree.root.relative_to(lab.original.home)
                fail(
                    f"No sample lies in the tree {root}/{tree.pattern}",
                    "add one, so that the checks reach it, or do not declare the tree",
                )

    def test_foreign_files_count_nothing(self, lab: Lab) -> None:
        """Files of another tool, or of none, under the names of ours (COL-09)."""
        for tree in lab.trees:
            place = tree.root.relative_to(lab.original.home) / fitting(tree.pattern)
            for what, content in foreign(place.as_posix()).items():
                sandbox = lab.sandbox({place.as_posix(): content})
                check_problems(sandbox, sandbox.sync(), f"With a file {what}")
                if sandbox.totals():
                    fail(
                        f"A file {what} counts tokens",
                        "let vibescore_identify answer None unless the head is one of yours",
                    )


def _places(plugin: Watched, env: Environment) -> Iterator[tuple[Path, str]]:
    """Where the trees are, seen from the home."""
    try:
        trees = plugin.discover(env)
    except PluginError as error:
        fail(f"{error}. {'; '.join(plugin.causes)}", "give trees, or none")
    for tree in trees:
        if env.home != tree.root and env.home not in tree.root.parents:
            fail(
                f"The tree {tree.root} lies outside of the home that env names",
                "build it from env.home or env.directory(variable): never from Path.home() or"
                " os.environ",
            )
        yield tree.root.relative_to(env.home), tree.pattern
