"""``vibescore plugins``: what is installed, and whether it works."""

import json
from typing import TYPE_CHECKING, Any

import click

from vibescore.cli.app import App, pass_app

if TYPE_CHECKING:
    from vibescore.plugins import Plugin
    from vibescore.store import Store


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@pass_app
def command(app: App, as_json: bool) -> None:
    """List the installed plugins, their hooks, and why one is not in use.

    VIBESCORE_PLUGINS=codex,gemini selects some; VIBESCORE_TRACE_PLUGINS=1 shows every call.

    \b
    Example:
      vibescore plugins
    """
    with app.store() as store:
        plugins = described(app.plugins(), store)
    if as_json:
        click.echo(json.dumps(plugins, indent=2))
    elif not plugins:
        click.echo(
            "No plugin is installed: pip install 'vibescore[all]' brings those for the known tools."
        )
    else:
        from vibescore.cli.table import print_table

        print_table(
            ("Name", "Distribution", "Version", "State", "Hooks"), [_row(each) for each in plugins]
        )


def _row(plugin: dict[str, Any]) -> list[str]:
    names = [plugin[name] for name in ("name", "distribution", "version", "state")]
    return [*names, plugin["problem"] or ", ".join(plugin["hooks"])]


def described(plugins: "list[Plugin]", store: "Store | None") -> list[dict[str, Any]]:
    """The plugins as plain values; one that failed in the last sync is ``failing``."""
    last = (store.fact("last sync") if store else None) or {"problems": []}
    failed = {
        problem["source"]: problem["what"]
        for problem in last["problems"]
        if problem["what"].startswith(f"plugin {problem['source']} failed")
    }
    return [_described(plugin, failed.get(plugin.name)) for plugin in plugins]


def _described(plugin: "Plugin", failure: str | None) -> dict[str, Any]:
    failing = plugin.hooks and failure
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "state": "failing" if failing else plugin.state,
        "problem": failure if failing else plugin.problem,
        "hooks": sorted(name.removeprefix("vibescore_") for name in plugin.hooks),
    }
