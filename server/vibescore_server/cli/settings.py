"""``vibescore-server settings``: what can be set, what it means, and what holds now."""

import re

import click

PASSWORD = re.compile(r"(://[^/@]*:)[^/]*@")


@click.command("settings")
def command() -> None:
    """List every setting with its meaning and what holds now; secrets are not shown.

    \b
    Examples:
      vibescore-server settings
      VIBESCORE_SERVER_PORT=80 vibescore-server settings
    """
    from vibescore_server.settings import PREFIX, Settings, load_settings

    settings = load_settings()
    for name, field in Settings.model_fields.items():
        origin = "set" if name in settings.model_fields_set else "default"
        click.echo(f"{PREFIX}{name.upper()} = {shown(getattr(settings, name))} ({origin})")
        click.echo(f"    {field.description}")


def shown(value: object) -> str:
    """As it is written in the environment; pydantic masks what is secret."""
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return PASSWORD.sub(r"\1***@", text) or "not set"
