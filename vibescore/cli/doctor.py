"""``vibescore doctor``: what is wrong, and the way out (CLI-08)."""

import json

import click

from vibescore.cli.app import App, pass_app


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
@pass_app
def command(app: App, as_json: bool) -> None:
    """Check that everything works, from the logs to the server, and say what to do where not.

    Looking changes nothing. Ends with 1 only when something critical is wrong: then usage is not
    counted, or does not arrive.

    \b
    Examples:
      vibescore doctor
      vibescore doctor --json
    """
    from vibescore.cli.checks import Finding, Level, findings

    found: list[Finding] = []
    for each in findings(app):
        found.append(each)
        if not as_json:
            _show(each.level, f"{each.check}: {each.what}", each.way_out)
    is_well = all(each.level is not Level.CRITICAL for each in found)
    if as_json:
        shown = [each._asdict() for each in found]
        click.echo(json.dumps({"ok": is_well, "findings": shown}, indent=2))
    else:
        _sum_up([each.level for each in found])
    if not is_well:
        raise click.exceptions.Exit(1)


def _show(level: str, what: str, way_out: str) -> None:
    click.echo(f"{level:9} {what}")
    if way_out:
        click.echo(f"{'':9} → {way_out}")


def _sum_up(levels: list[str]) -> None:
    bad = {level: levels.count(level) for level in ("critical", "warning")}
    named = [f"{level}: {count}" for level, count in bad.items() if count]
    click.echo(", ".join(named) or "All is well.")
