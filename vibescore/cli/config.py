"""``vibescore config``: each setting, its value, and where it came from."""

import json

import click

from vibescore.cli.app import App, pass_app
from vibescore.cli.table import print_table


@click.command("config")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@pass_app
def command(app: App, as_json: bool) -> None:
    """Show every setting and where its value came from.

    A flag wins over the environment (VIBESCORE_…), that over config.toml in the home, that over
    the default.

    \b
    Example:
      VIBESCORE_HTTP_TIMEOUT=5 vibescore config
    """
    settings = app.settings
    origins = {**settings.origins, **({"debug": "flag"} if app.debug else {})}
    values = {name: getattr(settings, name) for name in origins} | (
        {"debug": True} if app.debug else {}
    )
    if as_json:
        shown = {name: {"value": values[name], "origin": origins[name]} for name in values}
        click.echo(json.dumps({"home": str(app.home), "settings": shown}, indent=2))
        return
    click.echo(f"Home: {app.short(app.home)}")
    rows = [[name, _shown(name, value), origins[name]] for name, value in values.items()]
    print_table(["Setting", "Value", "From"], rows)


def _shown(name: str, value: object) -> str:
    if value is None:
        return "all" if name == "plugins" else "not set"
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
